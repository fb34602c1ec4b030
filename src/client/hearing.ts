/**
 * How a client hears the answers to one job. Opening a subscription for each job costs a journey to the relay and back
 * before the job can be published, so that what stands already is used where the node names us in its answers.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { about, addressedTo, ephemeralWrap, feedback, frame, jobIdOf, jobKinds, zapReceipt } from '../../kinds/index.ts'
import type { Filter, Listening, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { Seal } from '../seal.ts'

/** Hears an answer. `wrapped`: it came in a wrap, and this is what was in it. */
export type Ear = (event: Event, wrapped: boolean) => void

export interface Heard {
  /** Id of the request. */
  readonly job: string
  /** The only author to be heard; absent: everybody. */
  readonly node?: string
  /** The node says in every answer whom it is for, so that one subscription serves all jobs. */
  readonly namesUs: boolean
  /** No relay may be told which job this is: only what names our key is heard. */
  readonly hidden?: boolean
  readonly wantsReceipt: boolean
  readonly onEvent: Ear
}

/** Listens for one job until it is closed. `live` as of relays: publish after it. */
export type Hearing = (heard: Heard) => Listening

/** What stands already. */
export interface Standing {
  readonly live: Promise<void>
  /** Hears what names this job; ends with the returned call. */
  hear(job: string, onEvent: Ear): () => void
}

/** Relays allow few subscriptions; strfry and many others 20 to a connection. */
const standingMax = 8
/** How far a node's clock may be behind ours. */
const skewSeconds = 600
/** One subscription hears the answers of every kind of work. */
const answers = [feedback.number, ...jobKinds.map(({ result }) => result.number)]

/** All that may come to one key that asks, in wraps or not. */
export const answersTo = (pubkeys: readonly string[]): Filter[] => [
  addressedTo([...pubkeys], answers),
  addressedTo([...pubkeys], [frame.number, ephemeralWrap.number]),
]

/** Listens for one job through what stands, and beside it for what would not come that way. */
export function listenFor(relays: Relays, heard: Heard, standing: Standing | undefined): Listening {
  const { job, node, namesUs, hidden, wantsReceipt, onEvent } = heard
  const author = node === undefined ? {} : { authors: [node] }
  const alone = (filters: Filter[]): Listening =>
    relays.listen(filters, { onEvent: event => void (jobIdOf(event) === job && onEvent(event, false)) })
  const receipts = [zapReceipt.number]
  if (!hidden && (!namesUs || !standing))
    return alone([about([job], [...answers, ...receipts], author), about([job], [frame.number], author)])
  // A receipt names the node and not us. It is kept by relays, so that this subscription is early enough when the node
  // has spoken; before, it would hold up the job on the way to the relay.
  let receipt: Listening | undefined
  const end = standing?.hear(job, (event, wrapped) => {
    if (node !== undefined && event.pubkey !== node) return
    if (wantsReceipt && !hidden) receipt ??= alone([about([job], receipts, author)])
    onEvent(event, wrapped)
  })
  return {
    live: standing?.live ?? Promise.resolve(),
    close() {
      end?.()
      receipt?.close()
    },
  }
}

/** Of one key that asks more than once: a standing subscription for each node that it asks. */
export function openHearing({ relays, clock, pubkey }: { relays: Relays; clock: Clock; pubkey: string }): Hearing {
  const nodes = new Map<string, Standing & { readonly jobs: Map<string, Ear>; close(): void }>()

  function open(node: string): Standing | undefined {
    if (nodes.size >= standingMax) {
      const idle = [...nodes].find(([, { jobs }]) => jobs.size === 0)
      if (!idle) return undefined
      nodes.delete(idle[0])
      idle[1].close()
    }
    const jobs = new Map<string, Ear>()
    const bounds = { authors: [node], since: seconds(clock) - skewSeconds }
    const filters = [addressedTo([pubkey], answers, bounds), addressedTo([pubkey], [frame.number], bounds)]
    const { live, close } = relays.listen(filters, {
      onEvent: event => jobs.get(jobIdOf(event) ?? '')?.(event, false),
    })
    const standing = { live, close, jobs, hear: earsOf(jobs) }
    nodes.set(node, standing)
    return standing
  }

  return heard => {
    const { node, namesUs } = heard
    return listenFor(relays, heard, node !== undefined && namesUs ? (nodes.get(node) ?? open(node)) : undefined)
  }
}

/** Hands out and takes back places in a list of ears. */
export const earsOf =
  (jobs: Map<string, Ear>): Standing['hear'] =>
  (job, onEvent) => {
    jobs.set(job, onEvent)
    return () => void jobs.delete(job)
  }

/** The event in a wrap, where it opens and its author signed it. */
export function unwrap(keys: Pick<Keys, 'verify'>, seal: Seal, wrap: Event): Event | undefined {
  try {
    const read = ephemeralWrap.read(wrap, seal.decrypt(wrap.pubkey, wrap.content))
    return read.ok && keys.verify(read.value.event) ? read.value.event : undefined
  } catch {
    // Anybody may send us bytes that do not open.
    return undefined
  }
}
