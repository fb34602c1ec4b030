/**
 * `gridstr wallet` without a process: simulated wallets, journals in memory that stay when a verb closes them, time in hand.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type Io, UsageError } from '../src/cli/command.ts'
import type { Doors } from '../src/cli/commands/wallet/verb.ts'
import { walletCommandWith } from '../src/cli/commands/wallet.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { type Journal, JournalError } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import type { Fields } from '../src/payments/nwc/body.ts'
import { PaymentError, type Wallet } from '../src/payments/payment.ts'
import { type SimNet, type SimWallet, simNet } from '../src/payments/sim.ts'

export interface Said {
  readonly code: number
  readonly out: string
  readonly err: string
  /** The JSON lines of `out`. */
  readonly rows: readonly Readonly<Record<string, unknown>>[]
}

export interface TestDesk {
  readonly clock: HandClock
  readonly net: SimNet
  readonly mine: SimWallet
  readonly theirs: SimWallet
  /** What `gridstr wallet` keeps of own money, and a node's. */
  readonly journal: Journal
  readonly nodeJournal: Journal
  readonly folder: string
  /** Answers of the wallet to questions that rails have no word for. */
  readonly answers: Map<string, Fields>
  /** Runs one verb to its end, while time goes on. */
  run(argv: readonly string[], given?: Partial<Io>): Promise<Said>
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A home folder of its own that goes away with the tests. */
export function tempHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-home-'))
  folders.push(folder)
  return folder
}

export interface TestDeskOptions {
  /** Stands before the own wallet. */
  wallet?(own: Wallet): Wallet
  /** How often another process has the journal when it is to be written. */
  readonly locked?: number
  /** A home folder that several desks use, one after another. */
  readonly home?: string
  /** How far time goes on at once. */
  readonly stepMs?: number
}

export function openTestDesk(options: TestDeskOptions = {}): TestDesk {
  const clock = handClock()
  const net = simNet({ clock, seed: 'cli-wallet' })
  const mine = net.wallet({ alias: 'mine', msats: 1_000_000_000n })
  const theirs = net.wallet({ alias: 'theirs', msats: 1_000_000_000n })
  const [journal, nodeJournal] = [memoryJournal(), memoryJournal()]
  const folder = options.home ?? tempHome()
  const answers = new Map<string, Fields>()
  let { locked = 0 } = options
  // The journals are in memory; where they would lie, a file says that there is one.
  mkdirSync(join(folder, 'journals'), { recursive: true })
  for (const name of ['client.db', `node-${'ab'.repeat(8)}.db`]) writeFileSync(join(folder, 'journals', name), '')
  const doors: Doors = {
    wallet(uri) {
      if (uri !== 'mine' && !uri.startsWith('nostr+')) throw new Error('This is no usable wallet connection.')
      const shown = options.wallet?.(mine) ?? mine
      return {
        // The verb closes its connection, not the wallet.
        wallet: new Proxy(shown, { get: (one, key) => (key === 'close' ? async () => {} : bound(one, key)) }),
        async ask(method) {
          const answer = answers.get(method)
          if (!answer) throw new PaymentError('NOT_IMPLEMENTED', 'Not here.')
          return answer
        },
        async close() {},
      }
    },
    journal(path, how) {
      if (!how?.readOnly && --locked >= 0) throw new JournalError('locked', 'in use')
      return { ...(path.includes('node-') ? nodeJournal : journal), close() {} }
    },
  }
  const command = walletCommandWith(doors)
  return {
    ...{ clock, net, mine, theirs, journal, nodeJournal, folder, answers },
    async run(argv, given = {}) {
      const [out, err]: [string[], string[]] = [[], []]
      const io: Io = {
        out: text => void out.push(`${text}\n`),
        write: text => void out.push(text),
        err: text => void err.push(text),
        env: { GRIDSTR_HOME: folder, GRIDSTR_WALLET: 'mine' },
        clock,
        signal: new AbortController().signal,
        terminal: false,
        stdin: async () => '',
        ...given,
      }
      let ended = false
      const running = command.run(argv, io).catch((error: unknown) => {
        if (!(error instanceof UsageError)) throw error
        err.push(`gridstr: ${error.message}\n`)
        return 2
      })
      running.finally(() => {
        ended = true
      })
      while (!ended) {
        await new Promise<void>(resolve => setImmediate(resolve))
        if (!ended) await clock.advance(options.stepMs ?? 500)
      }
      const text = out.join('')
      return { code: await running, out: text, err: err.join(''), rows: jsonLines(text) }
    },
  }
}

/** A member of a wallet that stands behind another one. */
export const bound = (one: Wallet, key: string | symbol): unknown => {
  const value: unknown = Reflect.get(one, key)
  return typeof value === 'function' ? value.bind(one) : value
}

/** An array that is spread over lines has no lines of its own. */
const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => /^\{.*\}$/.test(line))
    .map(line => JSON.parse(line) as Record<string, unknown>)

/** An invoice of the other wallet. */
export const billOf = (desk: TestDesk, sats: bigint, description = 'tea', expirySeconds = 3_600) =>
  desk.theirs.bill({ key: `${sats} ${description}`, msats: sats * 1000n, expirySeconds, description })
