/**
 * Kind 6080: the vectors that a 5080 asked for.
 * @module
 */
import { parseJson } from './json.ts'
import { defineResult } from './results.ts'
import { listOf, number, record, type Shape, string, whole, word } from './shapes.ts'
import { MOST_TEXTS } from './texts.ts'

/** Vectors of one length, in the order of the texts. */
export interface Embeddings {
  readonly model: string
  readonly vectors: readonly Float32Array[]
}

/** Embeddings result (own kind 6080). */
export const embeddingsResult = defineResult({
  number: 6080,
  name: 'embeddings result',
  says: 'One vector for each text, in their order.',
  source: 'NIP-90; gridstr',
  content:
    'JSON: `{"model", "dimensions", "encoding", "embeddings"}`. `embeddings` are at most 2,048 vectors of `dimensions` finite 32-bit floats: for the encoding `base64` the base64 (with padding) of their bytes, little endian, for `float` lists of numbers.',
  samples: [
    [
      'Two vectors of two numbers: 1, 0 and 0.5, -2.',
      '{"model":"tiny","dimensions":2,"encoding":"base64","embeddings":["AACAPwAAAAA=","AAAAPwAAAMA="]}',
    ],
    ['The same as lists.', '{"model":"tiny","dimensions":2,"encoding":"float","embeddings":[[1,0],[0.5,-2]]}'],
  ],
})

const most = 65_536
const head = {
  model: string(256),
  dimensions: whole(1, most),
  encoding: word('base64', 'float'),
}
const list: Shape<readonly unknown[]> = value =>
  Array.isArray(value) && value.length <= MOST_TEXTS ? value : undefined
const embeddings = record({ ...head, embeddings: list }, {})
const numbers = listOf(number(-3.5e38, 3.5e38), most)

/** The bytes of strict base64, `undefined` for anything else. */
function bytesOf(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}

function vectorOf(value: unknown): Float32Array | undefined {
  if (typeof value !== 'string') {
    const said = numbers(value)
    return said && new Float32Array(said)
  }
  const bytes = bytesOf(value)
  if (!bytes || bytes.length % 4 !== 0) return undefined
  const view = new DataView(bytes.buffer)
  return Float32Array.from({ length: bytes.length / 4 }, (_, at) => view.getFloat32(at * 4, true))
}

/** Reads the text of a 6080; `undefined` for anything but whole, finite vectors of the length that it says. */
export function readEmbeddings(text: string): Embeddings | undefined {
  const said = embeddings(parseJson(text, { chars: 134_217_728, depth: 3, nodes: 8_388_608 }))
  if (!said) return undefined
  const written = said.encoding === 'base64' ? 'string' : 'object'
  const vectors: Float32Array[] = []
  for (const one of said.embeddings) {
    const vector = typeof one === written ? vectorOf(one) : undefined
    if (vector?.length !== said.dimensions || !vector.every(Number.isFinite)) return undefined
    vectors.push(vector)
  }
  return { model: said.model, vectors }
}

function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true)
  let binary = ''
  for (let at = 0; at < view.byteLength; at += 8_192)
    binary += String.fromCharCode(...new Uint8Array(view.buffer, at, Math.min(8_192, view.byteLength - at)))
  return btoa(binary)
}

/** Nine digits say every 32-bit float. */
const digits = (vector: Float32Array): number[] => Array.from(vector, value => Number(value.toPrecision(9)))

/** The text of a 6080. Throws a `TypeError` for vectors that its reader would refuse. */
export function writeEmbeddings({ model, vectors }: Embeddings, encoding: 'base64' | 'float' = 'base64'): string {
  const dimensions = vectors[0]?.length ?? 1
  if (dimensions < 1 || dimensions > most || vectors.length > MOST_TEXTS || model.length > 256)
    throw new TypeError('embeddings: at most 2,048 vectors of 1 to 65,536 numbers, of a model of 256 characters.')
  if (!vectors.every(vector => vector.length === dimensions && vector.every(Number.isFinite)))
    throw new TypeError('embeddings: vectors are of one length and finite.')
  const embeddings = encoding === 'base64' ? vectors.map(base64Of) : vectors.map(digits)
  return JSON.stringify({ model, dimensions, encoding, embeddings })
}
