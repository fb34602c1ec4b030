/**
 * Trials: a router asks a node as any customer would, with a key for this one job and over connections of its own, pays
 * what it costs, and does the same work itself.
 * @module
 */
import { textRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type AskEvent, type Outcome, openClient } from '../client/client.ts'
import { type Patience, watchSilence } from '../client/patience.ts'
import { aborted, type Clock, seconds } from '../clock.ts'
import { toHex } from '../hash.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Network, Payee, Payer } from '../payments/payment.ts'
import type { Tried, Trier } from '../router/trials.ts'
import type { Runner } from '../runners/runner.ts'
import { recomputed, samenessOf } from './auditing.ts'
import { type Prompt, promptOf } from './prompts.ts'

export interface TrierOptions {
  /** Relays for one trial, which closes them: over the router's own connection everybody would know who asks. */
  connect(): Relays
  readonly keys: Keys
  readonly clock: Clock
  /** Orders, and trials that a killed process had begun. */
  readonly journal: Journal
  readonly runner: Runner
  /** Class of our own runner, as nodes announce theirs. */
  readonly determinism?: string
  readonly network: Network
  /** Absent: only free nodes are tried. */
  readonly wallet?: Payer & Payee
  /** Most that may leave in a day, whatever the schedule says. */
  readonly dayMsats: bigint
  /** Bounds of silence. */
  readonly patience?: Patience
  /** 64 hex digits; default: by chance. */
  seed?(): string
}

/** More than a customer has: who is slow must not be called silent. */
const patient: Patience = { billMs: 60_000, firstMs: 60_000, gapMs: 30_000, wholeMs: 300_000 }
/** How long a trial may take, and how long a silent wallet is waited for: then, and by whoever wants to leave. */
const wholeMs = 660_000
const walletMs = 30_000
const leavingMs = 2_000
const keepSeconds = 7 * 86_400
const prunedAfter = 256

/** Opens the trier; each call is one trial. */
export function trierOf(options: TrierOptions): Trier {
  const { connect, keys, clock, journal, runner, determinism, network, wallet, dayMsats } = options
  const seed = options.seed ?? (() => toHex(crypto.getRandomValues(new Uint8Array(32))))
  let trials = 0

  return async ({ pubkey, announcement, kind, model, capMsats }, _why, signal): Promise<Tried> => {
    const same = kind === textRequest.number ? await samenessOf(runner, announcement, model, determinism) : 'other'
    if (same === 'other' || (capMsats > 0n && !wallet)) return { verdict: 'unable', msats: 0n }
    if (trials++ % prunedAfter === 0) journal.prune(seconds(clock) - keepSeconds)
    const prompt = promptOf(seed())
    const relays = connect()
    const life = openLife(options, signal)
    try {
      const client = openClient({
        ...{ relays, keys, secret: keys.newSecret(), clock, journal, network, caps: { dayMsats } },
        ...(wallet ? { payer: wallet, payee: wallet } : {}),
      })
      const node = { pubkey, announcement }
      const question = { ...prompt, model, temperature: 0, node, capMsats, giveUp: life.giveUp, onEvent: life.see }
      const outcome = await client.ask(question, life.signal)
      life.end()
      const { ok, request: job, result, text = '', usage } = outcome
      const msats = leftMsats(outcome)
      if (!ok || !result) {
        const away = relays.state().some(({ reconnects }) => reconnects > 0)
        return { verdict: life.isSilent(outcome) && !away ? 'silent' : 'unable', job, msats }
      }
      const verdict = await recomputed(runner, workOf(prompt, model), text, same, signal)
      if (verdict === 'unable') return { verdict, job, msats }
      const outputTokens = usage?.outputTokens
      return { verdict, job, result, msats, ...life.times(), ...(outputTokens === undefined ? {} : { outputTokens }) }
    } finally {
      life.end()
      await relays.close()
    }
  }
}

const workOf = ({ messages, maxTokens }: Prompt, model: string) => ({ messages, maxTokens, model, temperature: 0 })

/** All that left or may have left. */
const leftMsats = ({ job, msats }: Outcome): bigint =>
  msats + (job.pay === 'sent' || job.pay === 'unknown' ? (job.order?.msats ?? 0n) : 0n)

/** How long a trial is waited for, and what was seen of it. */
function openLife({ clock, patience = patient }: TrierOptions, outer: AbortSignal) {
  const quiet = new AbortController()
  const late = new AbortController()
  const seen: { askedMs?: number; firstMs?: number; lastMs?: number; billed?: boolean; paid?: boolean } = {}
  const watching = watchSilence({ clock, patience, onSilent: () => quiet.abort() })
  let cancel = clock.after(wholeMs, () => late.abort())
  const signal = AbortSignal.any([outer, quiet.signal])
  const hurry = (ms: number) => () => {
    cancel()
    cancel = clock.after(ms, () => late.abort())
  }
  const [slowly, now] = [hurry(walletMs), hurry(leavingMs)]
  quiet.signal.addEventListener('abort', slowly, { once: true })
  outer.addEventListener('abort', now, { once: true })
  return {
    signal,
    giveUp: late.signal,
    see(event: AskEvent) {
      watching.see(event)
      if (event.event === 'asked') seen.askedMs = clock.now()
      if (event.event === 'quote') seen.billed = true
      if (event.event === 'paid') seen.paid = true
      if (event.event !== 'chunk' || event.text === '') return
      seen.firstMs ??= clock.now()
      seen.lastMs = clock.now()
    },
    /** The node was asked, and brought nothing for what it was paid or for nothing; our own wallet is not to blame. */
    isSilent({ job }: Outcome): boolean {
      if (outer.aborted || seen.askedMs === undefined) return false
      return seen.paid === true ? job.pay === 'paid' : quiet.signal.aborted && seen.billed !== true
    },
    /** From the publication, as customers measure it. */
    times(): { firstMs?: number; ms?: number } {
      const { askedMs, firstMs, lastMs } = seen
      if (askedMs === undefined || firstMs === undefined || lastMs === undefined || firstMs <= askedMs) return {}
      return { firstMs: firstMs - askedMs, ms: lastMs - askedMs }
    },
    end() {
      watching.stop()
      cancel()
      outer.removeEventListener('abort', now)
      quiet.signal.removeEventListener('abort', slowly)
    },
  }
}

/**
 * Accounts for the money of trials that a killed process had begun; nothing is said of their nodes any more. Resolves when
 * that is done, or when `signal` fires.
 */
export async function endTrials(options: Omit<TrierOptions, 'runner'>, signal: AbortSignal): Promise<void> {
  const { connect, keys, clock, journal, network, wallet } = options
  if (journal.jobs.unfinished('client').length === 0) return
  const relays = connect()
  const paying = wallet ? { payer: wallet, payee: wallet } : {}
  const client = openClient({ relays, keys, secret: keys.newSecret(), clock, journal, network, ...paying })
  await Promise.race([Promise.allSettled(client.resume().map(({ outcome }) => outcome)), aborted(signal)])
  await relays.close()
}
