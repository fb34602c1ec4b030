/**
 * Which question a call is: a library that tries a call again means the same question, a program that asks twice means two.
 * @module
 */
import { bounded } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { sha256Hex } from '../hash.ts'
import type { ApiError } from './errors.ts'

/** What a call says of itself besides its body. No other header is ever looked at. */
export interface CallLabels {
  /** `idempotency-key`: names the question, also in another process. */
  readonly idempotencyKey?: string
  /** `x-stainless-retry-count`: the official libraries count their own tries from 0. */
  readonly retryCount?: number
  /** `x-stainless-timeout`, seconds: after that the library gives up and tries again. */
  readonly timeoutSeconds?: number
}

/** How a try ended. */
export type TryEnd =
  /** The whole answer was handed over. */
  | { readonly end: 'answered' }
  /** An error was: the library may try again by itself where it says so. */
  | { readonly end: 'failed'; readonly error: ApiError }
  /** The answer broke off after its beginning: no library tries again by itself, a person may. */
  | { readonly end: 'broken' }
  /** The program left. */
  | { readonly end: 'left' }

/** One try of a question. */
export interface Try {
  /** Names the question to the session. */
  readonly key: string
  /** What an earlier try ended with that must not be repeated, because its money has left. */
  readonly spent: ApiError | undefined
  /** Fires when nobody wants the answer any more. */
  readonly signal: AbortSignal
  /** The head of the answer is handed over: from now on no time limit of a library runs. */
  head(): void
  /** The program's own signal fired: the question ends at once, or after a while where it was the library's time limit. */
  leave(): void
  over(end: TryEnd): void
}

interface Held {
  readonly key: string
  count: number | undefined
  state: 'running' | 'again' | TryEnd['end']
  spent: ApiError | undefined
  since: number
  /** How often it was taken up: only its latest try speaks for it. */
  turn: number
  nobody: AbortController
  stop: (() => void) | undefined
}

/** After this a try is no longer taken up. */
const remembered = 120_000
/** So long a question goes on for a library whose time limit ran out: its next try comes within 8 s. */
const graceMs = 10_000
const mostBodies = 1_024
const mostTries = 64

/** JSON with its keys in order. `stream` and its options are another way to be told the same. */
export function canonical(body: unknown, top = true): string {
  if (Array.isArray(body)) return `[${body.map(item => canonical(item, false)).join(',')}]`
  if (typeof body !== 'object' || body === null) return JSON.stringify(body) ?? 'null'
  const members = Object.entries(body)
    .filter(([name, value]) => value !== undefined && !(top && (name === 'stream' || name === 'stream_options')))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value, false)}`).join(',')}}`
}

/** Opens the register of tries. `nonce` tells equal questions apart. */
export function openTries(clock: Clock, nonce: () => string) {
  const bodies = bounded<string, Held[]>(mostBodies)
  const fresh = (key: string, count: number | undefined): Held => ({
    ...{ key, count, state: 'running', spent: undefined, since: clock.now(), turn: 0 },
    ...{ nobody: new AbortController(), stop: undefined },
  })

  /** The earlier try that this one repeats. Several wait: the oldest of the state that fits best. */
  function repeated(tries: readonly Held[], count: number | undefined): Held | undefined {
    const states: readonly Held['state'][] =
      count === undefined
        ? ['again', 'broken']
        : count === 0
          ? ['broken']
          : ['again', 'failed', 'left', 'answered', 'broken', 'running']
    const fits = (held: Held) =>
      count === undefined || count === 0 || held.count === undefined || held.count === count - 1
    for (const state of states) {
      const found = tries.find(held => held.state === state && fits(held))
      if (found) return found
    }
    return undefined
  }

  function find(identity: string, labels: CallLabels): Held {
    if (labels.idempotencyKey !== undefined)
      return fresh(sha256Hex(JSON.stringify([identity, 'idempotency', labels.idempotencyKey])), labels.retryCount)
    const now = clock.now()
    const tries = (bodies.get(identity) ?? []).filter(held => held.state === 'running' || held.since + remembered > now)
    const before = repeated(tries, labels.retryCount)
    const held = before ?? fresh(sha256Hex(JSON.stringify([identity, 'nonce', nonce()])), labels.retryCount)
    held.stop?.()
    held.stop = undefined
    if (held.nobody.signal.aborted) held.nobody = new AbortController()
    held.count = labels.retryCount
    held.state = 'running'
    bodies.set(identity, [...tries.filter(one => one !== held), held].slice(-mostTries))
    return held
  }

  return {
    /** Begins a try of a body. */
    begin(method: string, path: string, body: unknown, labels: CallLabels): Try {
      const held = find(sha256Hex(`${method} ${path} ${canonical(body)}`), labels)
      const began = clock.now()
      const { nobody } = held
      const turn = ++held.turn
      const { timeoutSeconds = 0 } = labels
      let waits = timeoutSeconds > 0
      return {
        key: held.key,
        spent: held.spent,
        signal: nobody.signal,
        head() {
          waits = false
        },
        leave() {
          if (held.turn !== turn) return
          held.since = clock.now()
          const timedOut = waits && held.since - began >= timeoutSeconds * 1000
          held.state = timedOut ? 'again' : 'left'
          if (timedOut) held.stop = clock.after(graceMs, () => nobody.abort())
          else nobody.abort()
        },
        over(end) {
          if (held.turn !== turn) return
          held.since = clock.now()
          held.state = end.end === 'failed' && end.error.again ? 'again' : end.end
          if (end.end === 'failed' && end.error.spent) held.spent = end.error
          // What may be asked for again goes on: its answer is there then.
          if (held.state === 'failed') nobody.abort()
        },
      }
    },
  }
}
