/**
 * Writes a graph in ONNX form (protobuf, by hand): enough for the small models of these tests. Pure.
 * @module
 */

/** Numbers with a shape. `float` is 32 bits, `int64` are whole. */
export interface Constant {
  readonly name: string
  readonly dims: readonly number[]
  readonly floats?: readonly number[]
  readonly ints?: readonly number[]
}

export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whole numbers, or lists of them. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>
}

/** A named input or output; a word in the place of a length is one that may vary. */
export interface Port {
  readonly name: string
  readonly type: 'float' | 'int64'
  readonly dims: readonly (number | string)[]
}

export interface Graph {
  readonly nodes: readonly Node[]
  readonly constants: readonly Constant[]
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
}

type Bytes = number[]

function varint(value: number | bigint): Bytes {
  const bytes: Bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}
const whole = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)]
const bytes = (field: number, value: ArrayLike<number>): Bytes => [
  ...varint((field << 3) | 2),
  ...varint(value.length),
  ...Array.from(value),
]
const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value))

const typeNumbers = { float: 1, int64: 7 }

const rawOf = ({ floats, ints = [] }: Constant): Uint8Array =>
  new Uint8Array(floats ? Float32Array.from(floats).buffer : BigInt64Array.from(ints, BigInt).buffer)

const tensor = (constant: Constant, external?: { file: string; offset: number; length: number }): Bytes => [
  ...constant.dims.flatMap(dim => whole(1, dim)),
  ...whole(2, constant.floats ? typeNumbers.float : typeNumbers.int64),
  ...text(8, constant.name),
  ...(external
    ? [
        ...Object.entries({ location: external.file, offset: external.offset, length: external.length }).flatMap(
          ([key, value]) => bytes(13, [...text(1, key), ...text(2, String(value))]),
        ),
        ...whole(14, 1),
      ]
    : bytes(9, rawOf(constant))),
]

const attribute = ([name, value]: [string, number | readonly number[]]): Bytes =>
  typeof value === 'number'
    ? [...text(1, name), ...whole(3, value), ...whole(20, 2)]
    : [...text(1, name), ...value.flatMap(one => whole(8, one)), ...whole(20, 7)]

const node = ({ op, inputs, outputs, attributes = {} }: Node): Bytes => [
  ...inputs.flatMap(name => text(1, name)),
  ...outputs.flatMap(name => text(2, name)),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(one => bytes(5, attribute(one))),
]

const port = ({ name, type, dims }: Port): Bytes => {
  const shape = dims.flatMap(dim => bytes(1, typeof dim === 'number' ? whole(1, dim) : text(2, dim)))
  return [...text(1, name), ...bytes(2, bytes(1, [...whole(1, typeNumbers[type]), ...bytes(2, shape)]))]
}

/** A model of operator set 13. With `dataFile` the floats are in a file of their own, whose bytes come back too. */
export function writeOnnx(graph: Graph, dataFile?: string): { model: Uint8Array; data: Uint8Array } {
  const data: number[] = []
  const constants = graph.constants.flatMap(constant => {
    if (dataFile === undefined || !constant.floats) return bytes(5, tensor(constant))
    const raw = rawOf(constant)
    const place = { file: dataFile, offset: data.length, length: raw.length }
    data.push(...raw)
    return bytes(5, tensor(constant, place))
  })
  const body = [
    ...graph.nodes.flatMap(one => bytes(1, node(one))),
    ...text(2, 'g'),
    ...constants,
    ...graph.inputs.flatMap(one => bytes(11, port(one))),
    ...graph.outputs.flatMap(one => bytes(12, port(one))),
  ]
  const model = [
    ...whole(1, 8),
    ...text(2, 'gridstr'),
    ...bytes(7, body),
    ...bytes(8, [...text(1, ''), ...whole(2, 13)]),
  ]
  return { model: Uint8Array.from(model), data: Uint8Array.from(data) }
}
