/**
 * How a client hears answers: one standing subscription for each node that it asks, because opening one for each job
 * costs a journey to the relay and back before the job can be published.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { about, addressedTo, feedback, frame, jobIdOf, jobKinds, zapReceipt } from '../../kinds/index.ts'
import type { Filter, Listening, Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'

export interface HearingOptions {
  readonly relays: Relays
  readonly clock: Clock
  /** Who asks. */
  readonly pubkey: string
}

export interface Heard {
  /** Id of the request. */
  readonly job: string
  /** The only author to be heard; absent: everybody. */
  readonly node?: string
  /** The node says in every answer whom it is for, so that one subscription serves all jobs. */
  readonly namesUs: boolean
  readonly wantsReceipt: boolean
  onEvent(event: Event): void
}

/** Listens for one job until it is closed. `live` as of relays: publish after it. */
export type Hearing = (heard: Heard) => Listening

interface Standing extends Listening {
  readonly jobs: Map<string, (event: Event) => void>
}

/** Relays allow few subscriptions; strfry and many others 20 to a connection. */
const standingMax = 8
/** How far a node's clock may be behind ours. */
const skewSeconds = 600
/** One subscription hears the answers of every kind of work. */
const answers = [feedback.number, ...jobKinds.map(({ result }) => result.number)]

export function openHearing({ relays, clock, pubkey }: HearingOptions): Hearing {
  const nodes = new Map<string, Standing>()

  function open(node: string): Standing | undefined {
    if (nodes.size >= standingMax) {
      const idle = [...nodes].find(([, { jobs }]) => jobs.size === 0)
      if (!idle) return undefined
      nodes.delete(idle[0])
      idle[1].close()
    }
    const jobs = new Map<string, (event: Event) => void>()
    const bounds = { authors: [node], since: seconds(clock) - skewSeconds }
    const filters = [addressedTo([pubkey], answers, bounds), addressedTo([pubkey], [frame.number], bounds)]
    const listening = relays.listen(filters, {
      onEvent: event => jobs.get(jobIdOf(event) ?? '')?.(event),
    })
    const standing = { live: listening.live, close: listening.close, jobs }
    nodes.set(node, standing)
    return standing
  }

  return ({ job, node, namesUs, wantsReceipt, onEvent }) => {
    const author = node === undefined ? {} : { authors: [node] }
    const alone = (filters: Filter[]): Listening =>
      relays.listen(filters, { onEvent: event => void (jobIdOf(event) === job && onEvent(event)) })
    const receipts = [zapReceipt.number]
    const standing = node !== undefined && namesUs ? (nodes.get(node) ?? open(node)) : undefined
    if (!standing) return alone([about([job], [...answers, ...receipts], author), about([job], [frame.number], author)])
    // A receipt names the node and not us. It is kept by relays, so that this subscription is early enough when the node
    // has spoken; before, it would hold up the job on the way to the relay.
    let receipt: Listening | undefined
    standing.jobs.set(job, event => {
      if (wantsReceipt) receipt ??= alone([about([job], receipts, author)])
      onEvent(event)
    })
    return {
      live: standing.live,
      close() {
        standing.jobs.delete(job)
        receipt?.close()
      },
    }
  }
}
