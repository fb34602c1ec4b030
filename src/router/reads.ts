/**
 * What papers of a job say, read once each: they are looked at again whenever another paper comes.
 * @module
 */
import {
  type Acknowledgement,
  acknowledgement,
  type Event,
  feedback,
  type Kind,
  type TextRequest,
  textRequest,
  textResult,
  type UsageReceipt,
  usageReceipt,
  type ZapReceipt,
  zapReceipt,
} from '../../kinds/index.ts'

/** Reads events of one kind, remembering what each said for as long as the event is held. */
function once<V>(kind: Kind<V>): (event: Event) => V | undefined {
  const known = new WeakMap<Event, { readonly value: V | undefined }>()
  return event => {
    const found = known.get(event)
    if (found) return found.value
    const read = kind.read(event)
    const value = read.ok ? read.value : undefined
    known.set(event, { value })
    return value
  }
}

export const usageOf: (event: Event) => UsageReceipt | undefined = once(usageReceipt)
export const ackOf: (event: Event) => Acknowledgement | undefined = once(acknowledgement)
export const zapOf: (event: Event) => ZapReceipt | undefined = once(zapReceipt)
/** What a job says in public; nothing where it is sealed. */
export const jobOf: (event: Event) => TextRequest | undefined = once(textRequest)

/** The invoice of a public bill, where the event is one. */
export function bolt11Of(event: Event): string | undefined {
  const read = event.kind === feedback.number ? feedback.read(event) : textResult.read(event)
  return read.ok ? read.value.bolt11 : undefined
}
