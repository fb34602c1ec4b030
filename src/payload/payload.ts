/**
 * The contract of this room: bytes that are too large for one event, said to relays in chunks and fetched from them
 * again. What strangers sign is measured before it is believed, and paid for in bounded work only.
 * @module
 */
import { CHUNK_BYTES, type Event, type Manifest, type Refusal } from '../../kinds/index.ts'

/** How far it is. `bytes` are those of whole chunks that are done. */
export interface Progress {
  readonly done: number
  readonly chunks: number
  readonly bytes: number
  readonly ofBytes: number
}

export interface PutOptions {
  /** Signs manifest and chunks: any key, also one of a single use. */
  readonly secret: Uint8Array
  /** Who alone can open it. Absent: everybody can. */
  readonly to?: string
  /** For whom a key of one use speaks: receivers match it with who refers to the payload. Said inside the seal only. */
  readonly owner?: string
  /** Media type. Default `text/plain` for text, else `application/octet-stream`. */
  readonly type?: string
  /** Unix seconds after which nobody needs it (NIP-40). */
  readonly expiresAt: number
  /**
   * Unix seconds that are written on the events. The same bytes, key, reader and times make the same events; with a
   * journal an unfinished or still lasting put gives its own times. Public bytes put again at another time replace
   * their manifest: whoever names the old one must pass its time here.
   */
  readonly at?: number
  /** How long relays are tried. Default: until it expires. */
  readonly timeMs?: number
  onProgress?(progress: Progress): void
  readonly signal?: AbortSignal
}

/** What was put: `id` is what others name it by, `manifest` the signed event of that id. */
export interface PutDone {
  readonly ok: true
  readonly id: string
  readonly manifest: Event
  readonly value: Manifest
}

export interface LookOptions {
  /** Largest payload that is wanted, in bytes. More is refused before anything is fetched. */
  readonly mostBytes: number
  /** Only if this key signed the manifest or is the owner that a sealed manifest names. */
  readonly author?: string
  /** Opens what is sealed; throws where it cannot. */
  decrypt?(peer: string, payload: string): string
  /** How long relays are asked for the manifest. Default 15,000. */
  readonly timeMs?: number
  readonly signal?: AbortSignal
}

/** A manifest that was found, verified and read. */
export interface Found {
  readonly id: string
  /** Who signed the manifest. */
  readonly author: string
  readonly isSealed: boolean
  readonly value: Manifest
}

export interface FetchOptions {
  decrypt?(peer: string, payload: string): string
  /** The most that all of it may take. Default 600,000. */
  readonly timeMs?: number
  /** The longest wait for the next chunk. Default 60,000. */
  readonly stallMs?: number
  onProgress?(progress: Progress): void
  readonly signal?: AbortSignal
}

export type Fetched = { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> } | Refusal

/** Both ways of large payloads over some relays. Refusals say the way out; nothing rejects for what others do. */
export interface Payloads {
  /**
   * Says bytes (or a text as UTF-8) to the relays, a few chunks at a time. A chunk that a relay refused or that an
   * outage took is offered again. Throws for what is empty or beyond what chunks can carry.
   */
  put(bytes: Uint8Array | string, options: PutOptions): Promise<PutDone | Refusal>
  /** The manifest with this event id. */
  look(id: string, options: LookOptions): Promise<{ readonly ok: true; readonly value: Found } | Refusal>
  /** The bytes of a manifest: asks for what is missing until nothing is, and proves the whole. */
  fetch(found: Found, options: FetchOptions): Promise<Fetched>
  /** `look` and `fetch` in one; `timeMs` is for both together. */
  get(id: string, options: LookOptions & FetchOptions): Promise<Fetched>
}

/** Every wait and bound of the room that callers may change. */
export interface PayloadLimits {
  /** Bytes of every chunk but the last; 30,720 at most. */
  readonly chunkBytes: number
  /** Chunks on their way without an answer. */
  readonly window: number
  /** Chunks of one question to relays: half of it may come twice and still fit in a page of 500. */
  readonly page: number
  /** How long one question may take. */
  readonly pageMs: number
  /** First and longest pause before relays that had nothing new, or took nothing, are tried again. */
  readonly pauseMs: readonly [first: number, longest: number]
  /** Refusals of one chunk by relays that do not ask to come again before the put gives up. */
  readonly refusals: number
  /** Chunks of the right author that are none, beyond as many as there should be, before the fetch gives up. */
  readonly wrongChunks: number
}

export const PAYLOAD_LIMITS: PayloadLimits = {
  chunkBytes: CHUNK_BYTES,
  window: 8,
  page: 64,
  pageMs: 10_000,
  pauseMs: [250, 4_000],
  refusals: 3,
  wrongChunks: 64,
}

/** A refusal of this room. */
export const no = (rule: string, says: string): Refusal => ({ ok: false, rule: `payload.${rule}`, says })
