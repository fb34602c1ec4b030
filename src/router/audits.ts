/**
 * Answers that are computed again: drawn by a seed that nobody knew when the answer was signed, the one that the first
 * entry of the log after it reveals.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { drawn } from '../ledger/index.ts'
import type { Case, RoutedJob } from './cases.ts'

/** Computes an answer again. `unable`: it cannot tell, for instance because the job is sealed. */
export type Auditor = (
  job: Event,
  result: Event,
  node: string,
  signal: AbortSignal,
) => Promise<'passed' | 'failed' | 'unable'>

export interface Audited {
  readonly request: Event
  readonly result: Event
  readonly routed: RoutedJob
  /** The seed that drew it. */
  readonly seed: string
  readonly verdict: 'passed' | 'failed'
}

export interface AuditsOptions {
  readonly auditor: Auditor | undefined
  /** Share of this node's answers that is audited, 0 to 1. */
  share(node: string, kind: number, model: string): number
  /** Number of the next entry of the log. */
  next(): number
  seed(seq: number): string
  onAudited(audited: Audited): void
  /** An answer was drawn, by this seed, and the auditor cannot tell. */
  onUnable?(one: Case, seed: string): void
  /** The answer is needed no more. */
  onDone(one: Case): void
  onTrouble(says: string): void
}

export interface Audits {
  /** The answer of a routed job is there, as `one.answer`. */
  heard(one: Case): void
  /** Entry `seq` of the log was written. */
  onEntry(seq: number): void
  /** Resolves when no audit is under way. */
  close(): Promise<void>
}

const mostWaiting = 1_024
const mostAtOnce = 2

export function openAudits(options: AuditsOptions): Audits {
  const { auditor, share, next, seed, onAudited, onUnable, onDone, onTrouble } = options
  const closing = new AbortController()
  const undrawn: Case[] = []
  const queue: { readonly one: Case; readonly seed: string }[] = []
  const running = new Set<Promise<void>>()

  function draw(one: Case) {
    const { answer, request, routed, drawAt } = one
    if (!answer || !request || !routed || drawAt === undefined) return
    const beacon = seed(drawAt)
    if (!drawn(answer.id, beacon, share(routed.node, request.kind, routed.model)) || queue.length >= mostWaiting)
      return onDone(one)
    queue.push({ one, seed: beacon })
    go()
    return undefined
  }

  function go() {
    while (auditor && running.size < mostAtOnce && !closing.signal.aborted) {
      const item = queue.shift()
      if (!item) return
      const work = audit(item.one, item.seed, auditor).finally(() => {
        running.delete(work)
        go()
      })
      running.add(work)
    }
  }

  async function audit(one: Case, beacon: string, judge: Auditor) {
    const { answer, request, routed } = one
    if (!answer || !request || !routed) return
    try {
      const verdict = await judge(request, answer, routed.node, closing.signal)
      if (closing.signal.aborted) return
      if (verdict === 'unable') onUnable?.(one, beacon)
      else onAudited({ request, result: answer, routed, seed: beacon, verdict })
    } catch (error) {
      if (!closing.signal.aborted) onTrouble(String(error))
    }
    if (!closing.signal.aborted) onDone(one)
  }

  return {
    heard(one) {
      if (!auditor || undrawn.length >= mostWaiting) return onDone(one)
      one.drawAt ??= next()
      // After a restart the entry may be there already.
      if (one.drawAt < next()) draw(one)
      else undrawn.push(one)
      return undefined
    },
    onEntry(seq) {
      while (undrawn[0]?.drawAt !== undefined && undrawn[0].drawAt <= seq) {
        const [one] = undrawn.splice(0, 1)
        if (one) draw(one)
      }
    },
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}
