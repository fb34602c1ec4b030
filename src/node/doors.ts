/**
 * The ways in: requests, withdrawals, wishes about streams and gift wraps, each through its own door, and what comes out
 * of a wrap through the same ones as if it had come bare.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { addressedTo, cancel, ephemeralWrap, isSealed, offering, streamControl } from '../../kinds/index.ts'
import type { Admit, Listening, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { type IntakeOptions, openIntake } from '../intake.ts'
import type { Keys } from '../keys.ts'
import type { Seal } from '../seal.ts'
import type { Jobs } from './jobs.ts'
import type { NodeLimits } from './limits.ts'
import { attempt } from './request.ts'

export interface DoorsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly seal: Seal
  readonly pubkey: string
  /** Job kinds that are served. */
  readonly kinds: readonly number[]
  /** Also jobs that name no provider. */
  readonly open: boolean
  readonly limits: NodeLimits
  readonly jobs: Jobs
  /** True for the id of a wrap that is on its way from this node to itself. */
  isProbe(id: string): boolean
  /** A job that came bare and passed; `knows` of jobs was not asked yet. */
  onRequest(event: Event): void
  /** What came in a wrap and is none of the above: its author's signature is not looked at yet. `json` is its exact text. */
  onInner(event: Event, json: string): void
}

export interface Doors {
  readonly live: Promise<unknown>
  /** While jobs stream, their customers may ask for frames again. */
  streams(some: boolean): void
  close(): void
}

/** Seconds before now from which jobs and withdrawals are asked for. */
const backSeconds = 600
/** How long wishes about streams are listened for after the last stream. */
const lingerMs = 30_000
/** A wish about a stream is short. */
const wishBytes = 4_096

export function openDoors(options: DoorsOptions): Doors {
  const { relays, keys, clock, seal, pubkey, kinds, limits, jobs } = options
  const since = () => seconds(clock) - backSeconds
  const rate = { perAuthorPerMinute: limits.requestsPerMinute, burst: limits.requestsPerMinute / 5 }
  // Who waits for an answer here is heard in every flood. Who sends a wrap nobody can tell: only a probe of our own is known.
  const lets = (event: Event) => options.isProbe(event.id) || jobs.open().some(job => job.customer === event.pubkey)
  const total = { perMinute: limits.arrivalsPerMinute, burst: limits.arrivalsPerMinute / 5, lets }
  const intake = (of: readonly number[], open: boolean, more: Partial<IntakeOptions> = {}): Admit =>
    openIntake({ verify: keys.signed, clock, kinds: [...of], me: pubkey, open, rate, total, ...more }).admit
  const wishes = (): Admit =>
    intake([streamControl.number], false, { maxBytes: wishBytes, windowSeconds: { past: 60, ahead: 60 } })
  /** Inside a wrap the same questions are asked again, of the author that it hides. */
  const inner = { job: intake(kinds, options.open), cancel: intake([cancel.number], true), wish: wishes() }
  const wishDoor = wishes()
  const onAgain = (id: string) => jobs.again(id)
  let wishing: Listening | undefined
  let stopLinger = () => {}

  function onWrap(event: Event, relay: string) {
    const opened = attempt(() => seal.decrypt(event.pubkey, event.content))
    const wrap = opened === undefined ? undefined : ephemeralWrap.read(event, opened)
    if (!wrap?.ok || opened === undefined) return
    const { event: hidden } = wrap.value
    if (kinds.includes(hidden.kind)) return onHidden(hidden, relay)
    if (hidden.kind === cancel.number) return onCancel(inner.cancel(hidden, relay))
    if (hidden.kind === streamControl.number) return onWish(inner.wish(hidden, relay))
    options.onInner(hidden, opened)
  }

  function onHidden(hidden: Event, relay: string) {
    if (hidden.pubkey === pubkey) return
    if (jobs.knows(hidden.id)) {
      if (keys.verify(hidden)) jobs.askedAgain(hidden)
      return
    }
    const admitted = inner.job(hidden, relay)
    if (admitted) jobs.take(admitted, true)
  }

  function onCancel(event: Event | undefined) {
    const read = event && cancel.read(event)
    if (event && read?.ok) for (const id of read.value.events) jobs.cancel(id, event.pubkey)
  }

  function onWish(event: Event | undefined) {
    if (!event) return
    const opened = isSealed(event) ? attempt(() => seal.decrypt(event.pubkey, event.content)) : undefined
    const read = streamControl.read(event, opened)
    if (read.ok) jobs.resend(read.value.job, event.pubkey, read.value.from)
  }

  const listening: Listening[] = [
    relays.listen([addressedTo([pubkey], [...kinds], { since: since() })], {
      admit: intake(kinds, false),
      onEvent: options.onRequest,
      onAgain,
    }),
    relays.listen([addressedTo([pubkey], [ephemeralWrap.number])], {
      admit: intake([ephemeralWrap.number], false),
      onEvent: onWrap,
    }),
    relays.listen(
      kinds.map(kind => offering(kind, [cancel.number], { since: since() })),
      { admit: intake([cancel.number], true), onEvent: onCancel },
    ),
  ]
  if (options.open)
    listening.push(
      relays.listen([{ kinds: [...kinds], since: seconds(clock) - 60 }], {
        admit: intake(kinds, true),
        onEvent: options.onRequest,
        onAgain,
      }),
    )
  const deafen = () => {
    stopLinger()
    wishing?.close()
    wishing = undefined
  }

  return {
    live: Promise.all(listening.map(one => one.live)),
    streams(some) {
      stopLinger()
      if (!some) stopLinger = clock.after(lingerMs, deafen)
      else
        wishing ??= relays.listen([addressedTo([pubkey], [streamControl.number])], {
          admit: wishDoor,
          onEvent: onWish,
        })
    },
    close() {
      deafen()
      for (const one of listening) one.close()
    },
  }
}
