/**
 * What is too large for one event, on the customer's side: inputs that go ahead of the request in chunks, and answers
 * that come in chunks.
 * @module
 */
import type { Input, Read, Refusal, TextResult } from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import {
  type Carried,
  type FetchOptions,
  jsonBytes,
  MOST_INDEXED_BYTES,
  MOST_INLINE_BYTES,
  no,
  type Payloads,
  type PutDone,
  type PutOptions,
  textOf,
  utf8Bytes,
} from '../payload/index.ts'

export interface PackOptions
  extends Pick<PutOptions, 'secret' | 'to' | 'owner' | 'expiresAt' | 'at' | 'timeMs' | 'onProgress' | 'signal'> {
  readonly payloads: Pick<Payloads, 'put'>
  /** How the request will be carried. Anything but `open` needs `to`. */
  readonly carried: Carried
  /** Where the receiver finds the chunks: named in the input. */
  readonly relay: string
  /** Bytes of what else the request says in private. Default 2,048. */
  readonly besideBytes?: number
}

/** The marker of an input that was put in chunks: what it was before stands behind. */
const chunkedMarker = (marker: string | undefined): string => (marker === undefined ? 'chunked' : `chunked ${marker}`)

/** An input as it stands in a request, with what JSON writes around it. */
const spokenBytes = ({ data, type, relay = '', marker = '' }: Input): number =>
  jsonBytes(data) + type.length + relay.length + jsonBytes(marker) + 16

/** True where all of them go in the request itself. `besideBytes` is what else it says in private. */
export function fitsEvent(inputs: readonly Input[], carried: Carried, besideBytes = 2_048): boolean {
  const total = inputs.reduce((sum, input) => sum + spokenBytes(input), 0)
  if (total > MOST_INLINE_BYTES[carried] - besideBytes) return false
  return (
    carried !== 'open' || inputs.every(({ data, type }) => type !== 'text' || utf8Bytes(data) <= MOST_INDEXED_BYTES)
  )
}

/**
 * Inputs that fit into one request: the largest texts are put in chunks (one after another) until the rest does. Call it
 * before the request is written, and put again with the same options after a restart.
 */
export async function packInputs(
  inputs: readonly Input[],
  options: PackOptions,
): Promise<{ readonly ok: true; readonly inputs: readonly Input[]; readonly puts: readonly PutDone[] } | Refusal> {
  const { payloads, carried, relay, besideBytes = 2_048, to, ...how } = options
  if (carried !== 'open' && to === undefined)
    throw new TypeError('a sealed payload needs the key of its reader: pass to')
  const packed = [...inputs]
  const puts: PutDone[] = []
  const most = MOST_INLINE_BYTES[carried] - besideBytes
  const order = inputs
    .map((input, index) => ({ input, index, bytes: spokenBytes(input) }))
    .filter(({ input }) => input.type === 'text' && input.data !== '')
    .sort((a, b) => b.bytes - a.bytes)
  let total = inputs.reduce((sum, input) => sum + spokenBytes(input), 0)
  for (const { input, index, bytes } of order) {
    const isTooLong = carried === 'open' && utf8Bytes(input.data) > MOST_INDEXED_BYTES
    if (total <= most && !isTooLong) continue
    const put = await payloads.put(input.data, { ...how, ...(carried === 'open' || to === undefined ? {} : { to }) })
    if (!put.ok) return put
    const instead: Input = { data: put.id, type: 'event', relay, marker: chunkedMarker(input.marker) }
    packed[index] = instead
    puts.push(put)
    total += spokenBytes(instead) - bytes
  }
  if (total > most) return no('inputs', 'The inputs do not fit into one request, even in chunks: send fewer of them.')
  return { ok: true, inputs: packed, puts }
}

export interface UnpackOptions extends Pick<FetchOptions, 'decrypt' | 'timeMs' | 'stallMs' | 'onProgress' | 'signal'> {
  readonly payloads: Pick<Payloads, 'get'>
  /** Who signed the result: nobody else's chunks are its text. */
  readonly author: string
  /** Largest answer that is wanted, in bytes. */
  readonly mostBytes: number
}

/** The result with its text, fetched where it came in chunks. A digest that the result names must be that of the text. */
export async function unpackResult(result: TextResult, options: UnpackOptions): Promise<Read<TextResult>> {
  const { payloads, ...how } = options
  if (result.chunked === undefined) return { ok: true, value: result }
  const got = await payloads.get(result.chunked, how)
  if (!got.ok) return got
  const text = textOf(got.bytes)
  if (text === undefined) return no('text', 'The answer in chunks is no text: ask another provider.')
  if (result.digest !== undefined && result.digest !== sha256Hex(got.bytes))
    return no('digest', 'The answer in chunks is not the one that the result names: ask another provider.')
  return { ok: true, value: { ...result, text } }
}
