/**
 * The contract of this room: what may be said. A kind is read once into a plain value and written from one; nobody
 * outside this room knows a kind number or a tag name.
 * @module
 */

/** A signed event (NIP-01). Treat as frozen. */
export interface Event {
  readonly id: string
  readonly pubkey: string
  readonly created_at: number
  readonly kind: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
  readonly sig: string
}

/** What is signed: everything but author, id and signature. */
export interface Template {
  readonly kind: number
  readonly created_at: number
  readonly tags: readonly (readonly string[])[]
  readonly content: string
}

/** A stranger's fault, as a value: the rule that was broken and one sentence fit for the wire. */
export interface Refusal {
  readonly ok: false
  readonly rule: string
  readonly says: string
}

export type Read<V> = { readonly ok: true; readonly value: V } | Refusal

/** Encrypts to the one reader that the caller has in mind (NIP-44). */
export type Encrypt = (plain: string) => string

/** One kind. `V` is the plain value; money in it is bigint msats, times are unix seconds. */
export interface Kind<V> {
  readonly number: number
  /** Two or three words: `text generation request`. */
  readonly name: string
  /**
   * Reads tolerantly, never throws. `opened` is the decrypted content of an event for which `isSealed` holds;
   * a sealed event read without it is refused by rule `sealed`.
   */
  read(event: Event, opened?: string): Read<V>
  /**
   * Writes strictly: throws `TypeError` for a value that its own reader would refuse (a bug of ours, not a stranger's).
   * With `encrypt` the template comes sealed the way this kind seals, and single-letter tags may be long.
   */
  write(value: V, now: number, encrypt?: Encrypt): Template
}

/** True when the content (and the private tags in it) are encrypted to the reader: NIP-90 `encrypted`. */
export function isSealed(event: Pick<Event, 'tags'>): boolean {
  for (const tag of event.tags) if (tag[0] === 'encrypted') return true
  return false
}
