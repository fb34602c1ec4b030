/**
 * What is too large for one event, on the provider's side: inputs that came ahead in chunks, under bounds that all
 * strangers share, and answers that go in chunks.
 * @module
 */
import type { Input, Refusal } from '../../kinds/index.ts'
import { type Clock, timeLimit } from '../clock.ts'
import {
  type Carried,
  type Found,
  jsonBytes,
  MOST_INLINE_BYTES,
  no,
  type Payloads,
  type PutOptions,
  textOf,
  utf8Bytes,
} from '../payload/index.ts'
import { LARGE_LIMITS, type LargeLimits } from './large-limits.ts'

export interface UnpackedFor {
  /** Who signed the request: what is sealed must be his. */
  readonly author: string
  decrypt(peer: string, payload: string): string
  readonly signal?: AbortSignal
}

/** Fetches what requests name. One for the whole node: its bounds are shared. */
export interface Unpacking {
  /**
   * The inputs with every `chunked` one in full. A refusal where one is missing, is another's, is no text or passes a
   * bound; `payload.busy` where it may be asked again later. Never rejects.
   */
  unpack(
    inputs: readonly Input[],
    who: UnpackedFor,
  ): Promise<{ readonly ok: true; readonly inputs: readonly Input[] } | Refusal>
  /** What is being fetched now. */
  readonly fetches: number
  readonly bytesInFlight: number
}

/** True for an input that stands for chunks. */
export const isChunked = ({ type, marker = '' }: Input): boolean =>
  type === 'event' && (marker === 'chunked' || marker.startsWith('chunked '))

/** Nothing is held between jobs. */
export function openUnpacking(options: {
  readonly payloads: Pick<Payloads, 'look' | 'fetch'>
  readonly clock: Clock
  readonly limits?: Partial<LargeLimits>
}): Unpacking {
  const { payloads, clock } = options
  const limits = { ...LARGE_LIMITS, ...options.limits }
  let fetches = 0
  let bytesInFlight = 0
  const busy = no(
    'busy',
    'This node fetches as many payloads as it can now. Ask again in a minute, or ask another one.',
  )

  /** Looks at all before anything is fetched, so that what cannot be done costs nothing more. */
  const lookAll = async (ids: readonly string[], who: UnpackedFor, signal: AbortSignal): Promise<Found[] | Refusal> => {
    const found: Found[] = []
    let left = limits.bytesPerJob
    for (const id of ids) {
      const one = await payloads.look(id, { mostBytes: left, decrypt: who.decrypt, signal })
      if (!one.ok) return one
      const { isSealed, author, value } = one.value
      // Else whoever saw an id could have the text behind it answered to himself.
      if (isSealed && author !== who.author && value.owner !== who.author)
        return no('author', 'A sealed payload is worked on for its author only: put it under the key that asks.')
      found.push(one.value)
      left -= value.bytes
    }
    return found
  }

  const fetchAll = async (all: readonly Found[], who: UnpackedFor, signal: AbortSignal) => {
    const texts = new Map<string, string>()
    for (const found of all) {
      const got = await payloads.fetch(found, { decrypt: who.decrypt, ...limits, signal })
      if (!got.ok) return got
      const text = textOf(got.bytes)
      if (text === undefined) return no('text', 'A payload is no UTF-8 text: this node works on texts.')
      texts.set(found.id, text)
    }
    return texts
  }

  return {
    get fetches() {
      return fetches
    },
    get bytesInFlight() {
      return bytesInFlight
    },
    async unpack(inputs, who) {
      const ids = [...new Set(inputs.filter(isChunked).map(({ data }) => data))]
      if (ids.length === 0) return { ok: true, inputs }
      if (fetches >= limits.fetches) return busy
      fetches++
      let mine = 0
      const { signal, stop } = timeLimit(clock, limits.timeMs, who.signal)
      try {
        const found = await lookAll(ids, who, signal)
        if ('ok' in found) return found
        const bytes = found.reduce((sum, { value }) => sum + value.bytes, 0)
        if (bytesInFlight + bytes > limits.bytesInFlight) return busy
        mine = bytes
        bytesInFlight += mine
        const texts = await fetchAll(found, who, signal)
        if ('ok' in texts) return texts
        return {
          ok: true,
          inputs: inputs.map(input => (isChunked(input) ? inFull(input, texts.get(input.data)) : input)),
        }
      } finally {
        stop()
        fetches--
        bytesInFlight -= mine
      }
    },
  }
}

/** The text input that it was before it was put, with its own marker. */
function inFull({ marker = '' }: Input, data = ''): Input {
  const own = marker.slice('chunked '.length)
  return { data, type: 'text', ...(own === '' ? {} : { marker: own }) }
}

export interface PackResultOptions
  extends Pick<PutOptions, 'secret' | 'to' | 'owner' | 'expiresAt' | 'at' | 'timeMs' | 'onProgress' | 'signal'> {
  readonly payloads: Pick<Payloads, 'put'>
  /** How the result will be carried. Anything but `open` needs `to`. */
  readonly carried: Carried
  /** Bytes of what else stands in the event. Default 2,048. */
  readonly besideBytes?: number
}

/** The text of a result as it fits into one event, or a blank one and the manifest of its chunks. */
export async function packResult(
  text: string,
  options: PackResultOptions,
): Promise<{ readonly ok: true; readonly text: string; readonly chunked?: string } | Refusal> {
  const { payloads, carried, besideBytes = carried === 'open' ? 2_048 : 0, to, ...how } = options
  if (carried !== 'open' && to === undefined)
    throw new TypeError('a sealed payload needs the key of its reader: pass to')
  // Only the bare text of a result is sealed, so nothing is escaped there.
  const bytes = carried === 'open' ? jsonBytes(text) : utf8Bytes(text)
  if (bytes <= MOST_INLINE_BYTES[carried] - besideBytes) return { ok: true, text }
  const put = await payloads.put(text, { ...how, ...(carried === 'open' || to === undefined ? {} : { to }) })
  if (!put.ok) return put
  // Nothing cannot be sealed, and an answer that is not sealed is none to who asked so.
  return { ok: true, text: carried === 'open' ? '' : ' ', chunked: put.id }
}
