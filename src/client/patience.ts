/**
 * How long a node may be silent before another one is asked: bounds that come from what was measured of it, and the one
 * timer that holds them against what it says.
 * @module
 */
import type { WishedTerms } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { Why } from '../job.ts'
import type { AskEvent } from './events.ts'

/** What is known of a node's speed, in milliseconds: measured here, or told by routers. */
export interface Speed {
  /** From the publication of a request to the node's first word, its bill. */
  readonly rttMs?: number
  readonly firstMs?: number
  readonly p95FirstMs?: number
}

/** Bounds of silence, in milliseconds. */
export interface Patience {
  /** From the publication to the first word or bill. */
  readonly billMs: number
  /** From the payment, or the word that it works, to the first text. */
  readonly firstMs: number
  /** Between two texts at least; a node that was slower before gets four times its longest pause. */
  readonly gapMs: number
  /** From the payment to the answer, where nothing is shown before. */
  readonly wholeMs: number
}

const within = (least: number, ms: number, most: number): number => Math.min(most, Math.max(least, ms))

/** Unknown nodes are given 1.5 s to be reached, and 20 s for the first text. */
export function patienceFor({ rttMs = 1_500, firstMs, p95FirstMs }: Speed): Patience {
  const slow = p95FirstMs ?? (firstMs === undefined ? 5_000 : 2 * firstMs)
  return {
    billMs: within(2_000, 2 * rttMs + 2_000, 30_000),
    firstMs: within(5_000, 4 * slow, 120_000),
    gapMs: within(5_000, 2 * slow, 60_000),
    wholeMs: within(60_000, 20 * slow, 600_000),
  }
}

export interface Watching {
  /** Hears a moment of the job. */
  see(event: AskEvent): void
  stop(): void
}

/**
 * Watches one job and calls `onSilent` once, when the node was silent for too long. While our own wallet is being waited
 * for nobody is to blame. What the node held back until its answer is whole is waited for as a whole.
 */
export function watchSilence(options: {
  readonly clock: Clock
  readonly patience: Patience
  readonly terms?: WishedTerms
  onSilent(why: Why): void
}): Watching {
  const { clock, patience, onSilent } = options
  let cancel = () => {}
  let live = true
  let lastText: number | undefined
  let longest = 0
  let hidden = false
  let spoke = false

  const arm = (ms: number, why: Why) => {
    cancel()
    if (!live) return
    cancel = clock.after(ms, () => {
      live = false
      onSilent(why)
    })
  }
  const working = () => (hidden ? arm(patience.wholeMs, silentWork) : arm(patience.firstMs, silentWork))

  return {
    see(event) {
      // What relays say of the request may come after what the node says to it.
      if (event.event === 'asked') return spoke ? undefined : arm(patience.billMs, silentStart)
      if (event.event === 'quote' || event.event === 'processing' || event.event === 'chunk') spoke = true
      switch (event.event) {
        case 'quote':
          hidden = event.terms.word === 'hold' || event.terms.word === 'escrow'
          lastText = undefined
          cancel()
          return
        case 'paying':
          // Held money is not settled before the answer is here.
          return hidden ? arm(patience.wholeMs, silentWork) : cancel()
        case 'paid':
        case 'processing':
          if (lastText === undefined) return working()
          // The answer is whole and on its way.
          return event.event === 'processing' ? arm(Math.max(patience.gapMs, 4 * longest), silentStream) : undefined
        case 'fetching':
          return arm(patience.wholeMs, silentStream)
        case 'chunk': {
          const now = clock.now()
          if (lastText !== undefined) longest = Math.max(longest, now - lastText)
          lastText = now
          return arm(Math.max(patience.gapMs, 4 * longest), silentStream)
        }
        default:
          return
      }
    },
    stop() {
      live = false
      cancel()
    },
  }
}

const silentStart: Why = { code: 'silent', says: 'The node said nothing in time.' }
const silentWork: Why = { code: 'no-answer', says: 'The node said nothing after it began.' }
const silentStream: Why = { code: 'dead-stream', says: 'The node stopped in the middle of its answer.' }
