/**
 * Just enough of NIP-01's wire format to know an event, its OK and a subscription when they pass.
 * @module
 */

/** A frame as it passes. Anything else than these is handed on unread. */
export type Passing =
  | { readonly label: 'EVENT'; readonly sub?: string; readonly event: WireEvent }
  | { readonly label: 'OK'; readonly id: string; readonly ok: boolean }
  | { readonly label: 'REQ' | 'CLOSE' | 'EOSE' | 'CLOSED'; readonly sub: string }
  | { readonly label: 'other' }

export interface WireEvent {
  readonly id: string
  readonly pubkey: string
  readonly created_at: number
  readonly kind: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
  readonly sig: string
}

/** Reads a text frame of either way. Never throws. */
export function readPassing(text: string): Passing {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return { label: 'other' }
  }
  if (!Array.isArray(frame)) return { label: 'other' }
  const [label, one, two]: unknown[] = frame
  if (label === 'EVENT') {
    const event = typeof one === 'string' ? two : one
    if (!isWireEvent(event)) return { label: 'other' }
    return { label, event, ...(typeof one === 'string' ? { sub: one } : {}) }
  }
  if (typeof one !== 'string') return { label: 'other' }
  if (label === 'OK') return { label, id: one, ok: two === true }
  if (label === 'REQ' || label === 'CLOSE' || label === 'EOSE' || label === 'CLOSED') return { label, sub: one }
  return { label: 'other' }
}

/** The frame of an event, to a reader when `sub` is given. */
export const eventFrame = (event: WireEvent, sub?: string): string =>
  JSON.stringify(sub === undefined ? ['EVENT', event] : ['EVENT', sub, event])

export const okFrame = (id: string, ok: boolean, says: string): string => JSON.stringify(['OK', id, ok, says])

/** The event with one letter of its content, a tag or its signature changed; `draw` decides where. */
export function tamper(event: WireEvent, draw: () => number): WireEvent {
  const places = ['sig', ...(event.content === '' ? [] : ['content']), ...(event.tags.length === 0 ? [] : ['tag'])]
  const place = places[Math.floor(draw() * places.length)]
  if (place === 'content') return { ...event, content: bend(event.content, draw) }
  if (place === 'sig') return { ...event, sig: bend(event.sig, draw) }
  const at = Math.floor(draw() * event.tags.length)
  const tags = event.tags.map((tag, index) => {
    if (index !== at) return tag
    const last = tag.length - 1
    return tag.map((value, n) => (n === last ? bend(value, draw) : value))
  })
  return { ...event, tags }
}

/** Another text of the same length: one letter became another, always. */
function bend(text: string, draw: () => number): string {
  if (text === '') return 'x'
  const at = Math.floor(draw() * text.length)
  const now = text[at] === '0' ? '1' : '0'
  return `${text.slice(0, at)}${now}${text.slice(at + 1)}`
}

const isWireEvent = (value: unknown): value is WireEvent =>
  typeof value === 'object' && value !== null && 'id' in value && 'kind' in value && typeof value.kind === 'number'
