/**
 * The pieces of one payload as they come: each place is filled once, in any order, within the size that was declared.
 * @module
 */
import { chunk, claimedPlace, type Event, isSealed, type Manifest } from '../../kinds/index.ts'
import { payloadChars } from '../seal/nip44.ts'
import { fromBase64 } from './base64.ts'
import { chunkSize } from './cut.ts'

export interface Puzzle {
  /** Places that are filled, and the bytes in them. */
  readonly done: number
  readonly bytes: number
  /** Chunks of the right author and place that were none. */
  readonly wrong: number
  /** All bytes. Places that are not filled are zero. */
  readonly whole: Uint8Array<ArrayBuffer>
  has(index: number): boolean
  /** True for an event that may fill a place: asked before its signature is verified. */
  wants(event: Event): boolean
  /** True when it filled a place. */
  add(event: Event): boolean
  /** Up to `most` places that are not filled, from `start` on and then from the first. */
  missing(start: number, most: number): number[]
}

export interface PuzzleOptions {
  readonly value: Manifest
  readonly signer: string
  /** Opens chunks; absent where they are public. */
  decrypt?: ((peer: string, payload: string) => string) | undefined
}

/** Holds one array of the declared size and one bit for each place. */
export function openPuzzle({ value, signer, decrypt }: PuzzleOptions): Puzzle {
  const whole = new Uint8Array(value.bytes)
  const filled = new Uint8Array(value.chunks)
  const base64Chars = (index: number) => Math.ceil(chunkSize(value, index) / 3) * 4
  let [done, bytes, wrong] = [0, 0, 0]
  let lowest = 0

  const piece = (event: Event, index: number): Uint8Array | undefined => {
    try {
      const read = chunk.read(event, decrypt?.(signer, event.content))
      const data = read.ok ? fromBase64(read.value.data) : undefined
      return data?.length === chunkSize(value, index) ? data : undefined
    } catch {
      return undefined
    }
  }

  return {
    get done() {
      return done
    },
    get bytes() {
      return bytes
    },
    get wrong() {
      return wrong
    },
    whole,
    has: index => filled[index] === 1,
    wants(event) {
      const place = claimedPlace(event)
      if (!place || place.payload !== value.payload || filled[place.index] !== 0) return false
      if (isSealed(event) !== (decrypt !== undefined)) return false
      const chars = base64Chars(place.index)
      return event.content.length === (decrypt ? payloadChars(chars) : chars)
    },
    add(event) {
      const place = claimedPlace(event)
      if (!place || filled[place.index] !== 0) return false
      const data = piece(event, place.index)
      if (!data) {
        wrong++
        return false
      }
      whole.set(data, place.index * value.chunkBytes)
      filled[place.index] = 1
      done++
      bytes += data.length
      return true
    },
    missing(start, most) {
      while (filled[lowest] === 1) lowest++
      const found: number[] = []
      for (let index = Math.max(start, lowest); index < value.chunks && found.length < most; index++)
        if (filled[index] === 0) found.push(index)
      for (let index = lowest; index < Math.min(start, value.chunks) && found.length < most; index++)
        if (filled[index] === 0) found.push(index)
      return found
    },
  }
}
