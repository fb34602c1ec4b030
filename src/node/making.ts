/**
 * From a request that is let in to a job that runs: its words, what its inputs point to, and the box that it lives in.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { fromHex, hmacSha256, sha256Hex, toHex } from '../hash.ts'
import type { Why } from '../job.ts'
import type { Work } from '../runners/runner.ts'
import { workOf } from './begun.ts'
import { openHolding } from './held.ts'
import { type JobBox, type JobBoxOptions, openJobBox } from './job-box.ts'
import type { JobsOptions } from './jobs.ts'
import type { Opening } from './keeping.ts'
import { type ReadRequest, readInputs } from './request.ts'
import { openSpeech } from './speech.ts'

export interface MakingOptions extends JobsOptions, Pick<JobBoxOptions, 'linger'> {
  ended(id: string): void
  /** Nothing can be written down any more. */
  broken(): void
}

/** A job that an earlier process left, and why it cannot be worked on where that is so. */
type Reopened = Pick<JobBoxOptions, 'reopened' | 'lost'>

export interface Making {
  wholeOf(event: Event, read: ReadRequest, signal: AbortSignal): Promise<{ work: Work; why?: Why }>
  boxFor(opening: Opening, read: ReadRequest, whole: Work, maxTokens: number, more?: Reopened): JobBox
}

export function openMaking(options: MakingOptions): Making {
  const { relays, keys, secret, clock, journal, runner, limits, tell, zaps } = options
  const holding = openHolding({ inputs: options.inputs, clock, read: readInputs })
  const streaming = new Set<string>()

  /** Ours for this job alone, the same in every life of the process; nobody without the node's key can tell it. */
  function preimageOf(job: string) {
    const preimage = toHex(hmacSha256(secret, new TextEncoder().encode(`gridstr hold ${job}`)))
    return { preimage, hash: sha256Hex(fromHex(preimage)) }
  }

  const speechFor = (event: Event, { seal, came }: ReadRequest) =>
    openSpeech({
      ...{ relays, keys, secret, clock, journal, request: event, keepMs: limits.keepMs, payloads: options.payloads },
      ...{ ...seal, wrapped: came === 'wrapped' },
    })

  /** The work of a request, fetched where its inputs point elsewhere. The customer is told that it goes on. */
  async function wholeOf(event: Event, read: ReadRequest, signal: AbortSignal): Promise<{ work: Work; why?: Why }> {
    const speech = speechFor(event, read)
    const says = 'Fetching what the inputs of the job point to.'
    const say = () => speech.feedback({ status: 'processing', says, content: '' })
    return holding.fetch(event, read, options.seal.decrypt, say, signal)
  }
  function boxFor(opening: Opening, read: ReadRequest, whole: Work, maxTokens: number, more: Reopened = {}): JobBox {
    const { request: event, ask, verifier } = opening
    const { payee, holder, escrow } = options
    const { request } = read
    const speech = speechFor(event, read)
    const wrapped = read.came === 'wrapped'
    const held = holding.hold(workOf(ask, ask.metered && maxTokens > 0 ? { ...whole, maxTokens } : whole))
    if (request.stream && !wrapped && streaming.add(event.id).size === 1) options.streams(true)
    return openJobBox({
      ...{
        ask,
        event,
        wrapped,
        request,
        held,
        deltas: whole.deltas === true,
        maxTokens,
        speech,
        runner,
        clock,
        journal,
        tell,
      },
      ...more,
      ...(payee ? { payee } : {}),
      ...(holder ? { holder } : {}),
      ...(verifier && escrow ? { escrow: escrow.of(event, ask, verifier) } : {}),
      preimage: preimageOf(event.id),
      signal: options.signal,
      billSeconds: limits.billSeconds,
      descriptionHash: () => zaps.wait(event, ask.msats),
      receipt: (paid, bolt11) =>
        zaps.receipt({ job: event, paid, bolt11, msats: ask.msats, opens: ask.when === 'hold' }),
      used: (job, timing) =>
        options.usage.write({
          ...{ job, event, request, timing, wrapped },
          broughtTokens: ask.soFar?.outputTokens ?? 0,
        }),
      ended(job) {
        if (streaming.delete(job.id) && streaming.size === 0) options.streams(false)
        options.ended(job.id)
      },
      forgotten: () => zaps.forget(event),
      linger: options.linger,
      broken: () => options.broken(),
    })
  }

  return { wholeOf, boxFor }
}
