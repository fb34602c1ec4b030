/**
 * `wallet regtest`: two real Lightning wallets on a play network, served over NIP-47; with a folder, the same two again.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, toHex } from '../../../hash.ts'
import type { Journal, Shelf } from '../../../journal/journal.ts'
import { type Keys, openKeys } from '../../../keys.ts'
import { type LdkStore, ldkPair } from '../../../payments/ldk.ts'
import { serveNwc } from '../../../payments/nwc/service.ts'
import type { NwcStore } from '../../../payments/nwc/store.ts'
import { writeNwcUri } from '../../../payments/nwc/uri.ts'
import type { Wallet } from '../../../payments/payment.ts'
import { openSeal } from '../../../seal.ts'
import { type Io, jsonLine, readArguments, UsageError, untilStopped } from '../../command.ts'
import { openScreen } from '../../screen.ts'
import { pool, reason, relayOption, relayUrls } from '../../wiring.ts'
import type { Doors } from './verb.ts'

/** Runs until the process is asked to end; gives the exit status. */
export async function regtest(argv: readonly string[], io: Io, doors: Pick<Doors, 'journal'>): Promise<number> {
  const args = readArguments(argv, { ...relayOption, dir: { type: 'string' }, json: { type: 'boolean' } })
  const urls = relayUrls(args)
  const screen = openScreen(io)
  const dir = args.text('dir')
  const journal = dir === undefined ? undefined : await journalIn(dir, doors)
  try {
    const keys = await openKeys()
    screen.progress('wallet', 'starting two Lightning nodes …')
    const pair = await ldkPair({ clock: io.clock, ...(journal ? { store: storeIn(journal) } : {}) })
    const relays = pool(urls, keys, io.clock)
    const share = (name: 'payer' | 'payee') => {
      const kept = journal?.shelf('connections')
      const secret = keptSecret(kept, `${name} service`, keys)
      const client = keptSecret(kept, `${name} client`, keys)
      const store = journal && { shelf: journal.shelf(`${name} requests`), atomically: journal.atomically }
      return serve({ wallet: pair[name], relays, keys, secret, client, io, ...(store ? { store } : {}) })
    }
    const sharing = Promise.all([share('payer'), share('payee')])
    const shared = await Promise.race([sharing, untilStopped(io.signal).then(() => undefined)])
    if (shared) {
      const [payer, payee] = shared
      const spendable = (await pair.payer.balance()) / 1000n
      const where = dir === undefined ? 'Ctrl-C ends them' : `kept in ${dir}`
      screen.line('wallet', `two Lightning nodes, one channel; the payer can spend ${spendable} play sats · ${where}`)
      if (relays.state().every(({ state }) => state !== 'open'))
        screen.line('deaf', `no relay answers yet (${urls.join(', ')}): nobody can reach the wallets until one does`)
      if (args.flag('json')) io.out(jsonLine({ ready: true, payer: payer.uri, payee: payee.uri }))
      else {
        io.out(`payer ${payer.uri}`)
        io.out(`payee ${payee.uri}`)
      }
      await untilStopped(io.signal)
      await Promise.all([payer.close(), payee.close()])
    }
    await relays.close()
    await pair.close()
    return 0
  } finally {
    journal?.close()
  }
}

/** The journal of a folder of play wallets, made where it is missing. */
async function journalIn(dir: string, doors: Pick<Doors, 'journal'>): Promise<Journal> {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return await doors.journal(join(dir, 'regtest.db'))
  } catch (error) {
    throw new UsageError(`--dir ${dir} cannot be used: ${reason(error)}`)
  }
}

/** What Lightning keeps, on a shelf: every commit is on the disk before it is told. */
function storeIn(journal: Journal): LdkStore {
  const shelf = journal.shelf('lightning')
  return {
    get: key => shelf.get(key),
    set: (key, value) => shelf.set(key, value, 'money'),
    delete: key => shelf.delete(key),
    entries: prefix => shelf.entries(prefix),
    atomically: write => journal.atomically(write, 'money'),
  }
}

/** A secret that is the same as long as its shelf is there. */
function keptSecret(shelf: Shelf | undefined, name: string, keys: Keys): Uint8Array {
  const fresh = keys.newSecret()
  if (!shelf || shelf.claim(name, toHex(fresh), 'money')) return fresh
  return fromHex(String(shelf.get(name)))
}

interface Serving {
  readonly wallet: Wallet
  readonly relays: ReturnType<typeof pool>
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly client: Uint8Array
  readonly io: Io
  /** What was asked and answered; without it, forgotten with the process. */
  readonly store?: NwcStore
}

async function serve({ client, io, ...parts }: Serving) {
  const { keys, relays } = parts
  const seal = (own: Uint8Array) => openSeal({ keys, secret: own })
  const clientPubkey = keys.publicKey(client)
  const service = serveNwc({ ...parts, clock: io.clock, seal, clientPubkey })
  await service.ready
  const uri = writeNwcUri({ wallet: service.pubkey, relays: relays.urls, secret: client })
  return { uri, close: () => service.close() }
}
