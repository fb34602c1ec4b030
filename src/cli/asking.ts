/**
 * What a person and a script see of a question: its moments, its end, and how long a silent wallet is waited for.
 * @module
 */
import type { BilledTerms, TermsWord } from '../../kinds/index.ts'
import type { AskEvent, Client, Outcome, SplitOutcome } from '../client/client.ts'
import { timeLimit } from '../clock.ts'
import { npub } from '../keys.ts'
import { clean, type Io, jsonLine } from './command.ts'
import { privacyWords } from './privacy-words.ts'
import { money, type Screen, short } from './screen.ts'

/** A wallet that stays silent is waited for: two seconds after Ctrl-C, a minute after the question's own time. */
export function givingUp(io: Io, ttlSeconds: number): { signal: AbortSignal; end(): void } {
  const stop = new AbortController()
  const cancels = [io.clock.after((ttlSeconds + 60) * 1000, () => stop.abort())]
  const hurry = () => void cancels.push(io.clock.after(2_000, () => stop.abort()))
  io.signal.addEventListener('abort', hurry, { once: true })
  return {
    signal: stop.signal,
    end() {
      io.signal.removeEventListener('abort', hurry)
      for (const cancel of cancels) cancel()
    },
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1)

/**
 * Waits a moment for money that nodes send back, after everything else was told. What does not come so soon is asked for
 * again by the next run.
 */
export async function refunds(client: Client, io: Io): Promise<void> {
  // Who was told to end does so soon; what is claimed is in the journal.
  const late = io.signal.aborted ? timeLimit(io.clock, hurriedMs) : timeLimit(io.clock, refundMs, io.signal)
  await client.settled(late.signal).finally(late.stop)
}

/** A node that was told to stop says within seconds what it keeps. */
const refundMs = 8_000
const hurriedMs = 2_000

/** Shows one moment of a question: the answer to stdout, everything else to stderr. */
export function showAsk(event: AskEvent, io: Io, screen: Screen, json: boolean): void {
  switch (event.event) {
    case 'asked':
      screen.line(
        'asked',
        `job ${short(event.request)} on ${event.relays} ${event.relays === 1 ? 'relay' : 'relays'}${event.sealed ? ', sealed to the node' : ''}`,
      )
      return
    case 'quote':
      if (event.wished && event.wished.word !== event.terms.word)
        screen.line(
          'terms',
          `you asked for "${event.wished.word}"; this node does not give it to you and ${billsSo[event.terms.word]}`,
        )
      else if (event.terms.word !== 'before') screen.line('terms', termWords(event.terms))
      screen.line('invoice', `${money(event.msats)} says the invoice itself: ${event.bolt11.slice(0, 28)}…`)
      return
    case 'paying':
      screen.progress('paying', money(event.msats))
      return
    case 'paid':
      screen.line(
        'paid',
        `preimage ${short(event.preimage)} opens the payment hash · routing fee ${event.feeMsats} msats`,
      )
      return
    case 'unproven':
    case 'unknown':
      screen.line('wallet', event.says)
      return
    case 'sending':
    case 'fetching': {
      const way = event.event === 'sending' ? 'the question goes' : 'the answer comes'
      screen.progress(event.event, `${way} in chunks: ${megabytes(event.bytes)} of ${megabytes(event.ofBytes)} MB`)
      return
    }
    case 'processing':
      screen.progress('working', 'the node works on it …')
      return
    case 'chunk':
      if (json) io.out(jsonLine({ event: 'chunk', text: event.text }))
      else screen.text(clean(event.text))
      return
    case 'replaced':
      if (!json) screen.text(`\n${clean(event.text)}`)
      screen.line('note', 'what streamed differs from the signed result; this is the result')
      return
    case 'refund':
      if (event.state === 'asked') screen.progress('refund', `${money(event.msats)} are on their way back …`)
      else screen.line('refund', refundWords[event.state](money(event.msats)))
      return
    case 'split':
      screen.line('share', shareWords(event))
      return
    case 'accused':
      if (json) io.out(jsonLine(event))
      screen.line('accused', `${npub(event.accused)}: ${event.says} (${event.rule}) Published as ${short(event.id)}`)
      return
    case 'receipt':
      screen.line(
        'receipt',
        event.ok
          ? `zap receipt ${short(event.id)} holds`
          : `zap receipt ${short(event.id)} is not believed: ${event.reasons.join(', ')}`,
      )
  }
}

/** The last lines. Exit status 0 for an answer. */
export function closing(outcome: Outcome, io: Io, screen: Screen, json: boolean): number {
  const { ok, request, result, receipt, msats, ms, firstTextMs, preimage, usage, splits, finish, privacy } = outcome
  if (!json && ok) screen.text('\n')
  if (json)
    io.out(
      jsonLine(
        ok
          ? {
              ok,
              text: outcome.text,
              request: request.id,
              result: result?.id,
              msats,
              creditMsats: outcome.creditMsats,
              ms,
              firstTextMs,
              preimage,
              receipt: receipt?.id,
              splits: splits?.map(one => ({ ...one, receipt: one.receipt?.id })),
              usage,
              finish,
              privacy,
            }
          : {
              ok,
              code: outcome.code,
              error: clean(outcome.says ?? ''),
              request: request.id,
              msats,
              ms,
              preimage,
              privacy,
            },
      ),
    )
  screen.line('privacy', privacyWords(privacy))
  if (!ok) {
    screen.line(
      'failed',
      `${outcome.says ?? ''}${msats > 0n ? ` You paid ${money(msats)}: keep the preimage ${preimage ?? '(none shown)'} and job ${request.id} as proof.` : ''}`,
    )
    return 1
  }
  const first = firstTextMs === undefined ? '' : ` · first words after ${(firstTextMs / 1000).toFixed(2)} s`
  screen.line(
    'done',
    `${money(msats)}${comesBack(outcome)}${first} · ${(ms / 1000).toFixed(2)} s in all${usage ? ` · ${usage.outputTokens} tokens` : ''}`,
  )
  return 0
}

/** What of the money is on its way back, in words. */
export const comesBack = ({ creditMsats }: { readonly creditMsats?: bigint | undefined }): string =>
  creditMsats === undefined ? '' : `, of which ${money(creditMsats)} come back`

const billsSo: Record<TermsWord, string> = {
  before: 'bills before the work',
  after: 'bills after the work',
  parts: 'bills in parts',
  hold: 'has the money held until the answer is here',
  escrow: 'has the money held until a verifier decides',
}

function termWords(terms: BilledTerms): string {
  if (terms.word === 'parts') return `part ${terms.part} of ${terms.parts}: pays for what comes next, not for more`
  if (terms.word === 'hold') return 'the money is held: paying opens the answer, and without an answer it comes back'
  if (terms.word === 'escrow') return `the money is held until ${npub(terms.verifier)} has judged the answer`
  return 'the answer is here, this is its bill'
}

/** What became of a share, in words. */
function shareWords({ pubkey, msats, state, receipt, says = '' }: SplitOutcome): string {
  const proof = receipt ? ` · zap receipt ${short(receipt.id)} holds` : ''
  return `${money(msats)} for ${short(pubkey)} · ${splitWords[state]}${proof}${says === '' ? '' : ` · ${says}`}`
}

const splitWords = {
  paid: 'paid',
  unproven: 'paid, without a proof',
  failed: 'not paid: the payment failed',
  refused: 'not paid',
  unanswered: 'not paid',
  open: 'not settled yet: the next "gridstr ask" goes on',
} as const

const refundWords = {
  paid: (sats: string) => `${sats} came back`,
  unpaid: (sats: string) => `the node has not paid ${sats} back yet: it is asked again by the next "gridstr ask"`,
}

export interface Resuming {
  readonly json: boolean
  /** Nothing new is asked: standard output belongs to the earlier answers. */
  readonly alone: boolean
}

/** Finishes what an earlier run left, beside the new question. True when all of it ended well. */
export async function resumed(client: Client, io: Io, screen: Screen, how: Resuming): Promise<boolean> {
  const jobs = client.resume()
  if (jobs.length === 0) return true
  screen.line('resumed', `${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'} of an earlier run: finishing`)
  const late = new Promise<undefined>(resolve => {
    const stop = io.clock.after(resumeMs, () => resolve(undefined))
    io.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    void Promise.allSettled(jobs.map(job => job.outcome)).then(stop)
  })
  const ended = await Promise.all(
    jobs.map(async ({ request, outcome }) => {
      const one = await Promise.race([outcome, late]).catch(() => undefined)
      const about = { event: 'resumed', request: request.id, ok: one?.ok === true, msats: one?.msats }
      if (how.json) io.out(jsonLine({ ...about, text: one?.text, code: one?.code }))
      else if (one?.ok && how.alone) io.out(clean(one.text ?? ''))
      const says = one === undefined ? 'not finished yet: run "gridstr ask --resume" again' : (one.says ?? 'answered')
      screen.line('resumed', `job ${short(request.id)} · ${one?.msats ? `${money(one.msats)} paid · ` : ''}${says}`)
      return one !== undefined
    }),
  )
  return ended.every(Boolean)
}

/** How long a run waits for what an earlier one left. */
const resumeMs = 60_000
