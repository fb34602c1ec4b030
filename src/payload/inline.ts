/**
 * How much fits into one event, by the way that it is carried: beyond it a text goes in chunks.
 * @module
 */

/** Readable by all, sealed to one reader, or that inside a gift wrap. */
export type Carried = 'open' | 'sealed' | 'wrapped'

/**
 * The most bytes of private text in one event of 64 KiB, with room for what stands beside it. Ciphertext pads 40,960
 * bytes to 54,700 characters and anything more to beyond an event; a wrap seals that a second time.
 */
export const MOST_INLINE_BYTES: Readonly<Record<Carried, number>> = { open: 60_000, sealed: 40_960, wrapped: 28_672 }

/** Default strfry refuses an indexed value above this, so in public a longer input is not taken. */
export const MOST_INDEXED_BYTES = 1_024

const utf8 = new TextEncoder()

/** Bytes of a text as UTF-8. */
export const utf8Bytes = (text: string): number => utf8.encode(text).length

/** Bytes of a text as it stands in JSON. */
export const jsonBytes = (text: string): number => utf8Bytes(JSON.stringify(text))

/** The text of UTF-8 bytes, `undefined` for bytes that are none. A byte order mark stays. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
