/**
 * Customers of a node who seal and wrap: what they send, and what they can open of what they hear.
 * @module
 */
import type { AnyRequest, Event } from '../kinds/index.ts'
import { ephemeralWrap, feedback, frame, isSealed, jobIdOf, jobKinds } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { openSeal, wrapEvent } from '../src/seal.ts'
import { keys, type Town } from './node-world.ts'

export type Scheme = 'plain' | 'nip44' | 'nip04'

/** A customer with a key of one job. */
export function openHidden(town: Town, own = keys.newSecret()) {
  const { clock, hub, me, seen } = town
  const relays = hub.connect()
  const pubkey = keys.publicKey(own)
  const seal = openSeal({ keys, secret: own })
  const base = { relays: [], providers: [me], stream: true, receipt: false }

  /** A signed request, not sent. */
  function request(text: string, scheme: Scheme = 'nip44', more: Partial<AnyRequest> = {}, kind = 5050): Event {
    const job = jobKinds.find(one => one.request.number === kind)
    if (!job) throw new Error(`no kind ${kind}`)
    const value = { ...base, inputs: [{ data: text, type: 'text' as const }], ...more }
    const encrypt = scheme === 'plain' ? undefined : (plain: string) => seal.encrypt(me, plain, scheme)
    return keys.sign(job.request.write(value, seconds(clock), encrypt), own)
  }
  const send = (event: Event): Event => {
    void relays.publish(event, { want: 1 })
    return event
  }
  const wrap = (event: Event): Event => send(wrapEvent(keys, event, me, seconds(clock)))

  const known = new Map<string, unknown>()
  /** Looks are many and openings dear. */
  const once = <T>(name: string, make: () => T): T => {
    if (!known.has(name)) known.set(name, make())
    return known.get(name) as T
  }
  const unwrapped = (event: Event): Event | undefined => {
    const read = ephemeralWrap.read(event, seal.decrypt(event.pubkey, event.content))
    return read.ok && keys.verify(read.value.event) && read.value.event.pubkey === me ? read.value.event : undefined
  }
  /** Events of the node for this customer that came in wraps, in order, each as often as it came. */
  const inWraps = (): Event[] =>
    seen.flatMap(event => {
      const mine = event.kind === ephemeralWrap.number && event.tags.some(([, key]) => key === pubkey)
      return mine ? (once(`wrap ${event.id}`, () => unwrapped(event)) ?? []) : []
    })
  const opened = (event: Event): string | undefined =>
    isSealed(event) ? once(event.id, () => seal.decrypt(event.pubkey, event.content)) : undefined
  const about = (job: Event, events: readonly Event[], kind: number) =>
    events.filter(event => event.kind === kind && jobIdOf(event) === job.id)

  function heard(job: Event, events: readonly Event[] = seen.filter(event => event.pubkey === me)) {
    const result = jobKinds.find(({ request: asked }) => asked.number === job.kind)?.result
    return {
      words: about(job, events, feedback.number).flatMap(event => {
        const read = feedback.read(event, opened(event))
        return read.ok ? [read.value] : []
      }),
      frames: about(job, events, frame.number).flatMap(event => {
        const read = frame.read(event, opened(event))
        return read.ok ? [read.value] : []
      }),
      results: about(job, events, job.kind + 1_000).flatMap(event => {
        const read = result?.read(event, opened(event))
        return read?.ok ? [{ event, value: read.value }] : []
      }),
    }
  }

  return { own, pubkey, seal, relays, request, send, wrap, inWraps, heard }
}
