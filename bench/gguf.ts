/**
 * Writes a language model of random weights in GGUF form: the llama architecture at any size, with the tokenizer of the
 * shipped model. It says nothing and computes like a trained one of its size.
 * @module
 */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { nanoPath } from '../src/runners/llama/source.ts'

export interface RandomGgufOptions {
  /** About so many weights. */
  readonly parameters: number
  /** The same seed writes the same bytes. */
  readonly seed: number
  /** Tokens that prompt and answer share, 2,048 when left out. */
  readonly contextTokens?: number
}

/** GGUF value types that are used here, by their number. */
const type = { u32: 4, f32: 6, string: 8, array: 9 } as const
/** Bytes of a value by its type; strings and lists say theirs. */
const widths: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
/** Tensor types: 32-bit floats, and blocks of 32 bytes behind a 16-bit scale (Q8_0). */
const f32 = 0
const q8 = 8
const blockBytes = 34
const alignment = 32
/** A prime number of blocks, so that rows of no width begin twice in the same place. */
const poolBlocks = 32_749
/** The type of a control token. */
const control = 3
/** Printable ASCII, and the sign for a blank. */
const plain = /^[\x21-\x7e\u0120]+$/
/** 2^-11 as a 16-bit float: bytes of -127 to 127 become weights of about 0.036. */
const scale = 0x1000

/** Writes the file, in seconds even for 100 million weights, and gives their exact number. */
export async function writeRandomGguf(path: string, options: RandomGgufOptions): Promise<number> {
  const tokenizer = readTokenizer(await readFile(nanoPath))
  const shape = shapeOf(options.parameters, tokenizer.words)
  const tensors = tensorsOf(shape, tokenizer.words)
  const head = headOf(shape, tensors, tokenizer, options.contextTokens ?? 2_048)
  const pool = randomBlocks(options.seed)
  const file = await open(path, 'w')
  try {
    await file.write(head)
    let at = options.seed % poolBlocks
    for (const tensor of tensors) at = await writeTensor(file, tensor, pool, at, tokenizer.mute)
  } finally {
    await file.close()
  }
  return tensors.reduce((sum, { dims }) => sum + dims.reduce((product, one) => product * one, 1), 0)
}

interface Tokenizer {
  /** The `tokenizer.*` pairs as they stand in the file. */
  readonly pairs: Uint8Array
  readonly count: number
  readonly words: number
  /** Ids of control tokens, and of tokens that may be parts of a character only. */
  readonly mute: ReadonlySet<number>
}

/** Walks the key and value pairs of a GGUF (version 3) and takes what is the tokenizer's. */
export function readTokenizer(bytes: Uint8Array): Tokenizer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== 0x46554747 || view.getUint32(4, true) !== 3) throw new RangeError('not GGUF 3')
  let at = 24
  const step = (length: number): number => {
    at += length
    return at - length
  }
  const u32 = () => view.getUint32(step(4), true)
  const u64 = () => Number(view.getBigUint64(step(8), true))
  const text = () => {
    const from = step(u64())
    return new TextDecoder().decode(bytes.subarray(from, at))
  }
  const skip = (kind: number): void => {
    if (kind === type.array) {
      const inner = u32()
      for (let left = u64(); left > 0; left--) skip(inner)
      return
    }
    step(kind === type.string ? u64() : (widths[kind] ?? 0))
  }
  const pairs: Uint8Array[] = []
  let words = 0
  const mute = new Set<number>()
  for (let left = Number(view.getBigUint64(16, true)); left > 0; left--) {
    const from = at
    const key = text()
    const kind = u32()
    const value = at
    skip(kind)
    if (!key.startsWith('tokenizer.')) continue
    pairs.push(bytes.subarray(from, at))
    const end = at
    // A list is its type, its length and its values.
    at = value + 12
    if (key === 'tokenizer.ggml.tokens') {
      words = Number(view.getBigUint64(value + 4, true))
      for (let id = 0; id < words; id++) if (!plain.test(text())) mute.add(id)
    }
    if (key === 'tokenizer.ggml.token_type') for (let id = 0; at < end; id++) if (u32() === control) mute.add(id)
    at = end
  }
  return { pairs: Buffer.concat(pairs), count: pairs.length, words, mute }
}

interface Shape {
  readonly width: number
  readonly inner: number
  readonly layers: number
}

/** The shape whose number of layers is nearest to a dozen. */
function shapeOf(parameters: number, words: number): Shape {
  const shapes = [64, 128, 256, 384, 512, 768, 1_024, 2_048].map(width => {
    const inner = Math.ceil((width * 8) / 3 / 32) * 32
    const layers = Math.round((parameters - 2 * words * width) / (4 * width * width + 3 * width * inner))
    return { width, inner, layers: Math.max(1, layers) }
  })
  const far = ({ layers }: Shape) => Math.abs(Math.log(layers / 12))
  return shapes.reduce((best, one) => (far(one) < far(best) ? one : best))
}

interface Tensor {
  readonly name: string
  /** Numbers of a row, and rows. */
  readonly dims: readonly number[]
}

function tensorsOf({ width, inner, layers }: Shape, words: number): Tensor[] {
  const layer = (index: number): Tensor[] =>
    [
      { name: 'attn_norm', dims: [width] },
      { name: 'attn_q', dims: [width, width] },
      { name: 'attn_k', dims: [width, width] },
      { name: 'attn_v', dims: [width, width] },
      { name: 'attn_output', dims: [width, width] },
      { name: 'ffn_norm', dims: [width] },
      { name: 'ffn_gate', dims: [width, inner] },
      { name: 'ffn_up', dims: [width, inner] },
      { name: 'ffn_down', dims: [inner, width] },
    ].map(({ name, dims }) => ({ name: `blk.${index}.${name}.weight`, dims }))
  return [
    { name: 'token_embd.weight', dims: [width, words] },
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    { name: 'output_norm.weight', dims: [width] },
    { name: 'output.weight', dims: [width, words] },
  ]
}

const count = ({ dims }: Tensor): number => dims.reduce((product, one) => product * one, 1)
const isNorm = ({ dims }: Tensor): boolean => dims.length === 1
const sizeOf = (tensor: Tensor): number => (isNorm(tensor) ? count(tensor) * 4 : (count(tensor) / 32) * blockBytes)
const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

function headOf(shape: Shape, tensors: readonly Tensor[], tokenizer: Tokenizer, contextTokens: number): Uint8Array {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer)
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)])
  const pair = (key: string, value: number | string) =>
    typeof value === 'string'
      ? Buffer.concat([text(key), u32(type.string), text(value)])
      : Buffer.concat([text(key), u32(type.u32), u32(value)])
  const heads = shape.width / 64
  const pairs = [
    pair('general.architecture', 'llama'),
    pair('general.name', 'random weights'),
    pair('general.file_type', 7),
    pair('general.alignment', alignment),
    pair('llama.block_count', shape.layers),
    pair('llama.context_length', contextTokens),
    pair('llama.embedding_length', shape.width),
    pair('llama.feed_forward_length', shape.inner),
    pair('llama.attention.head_count', heads),
    pair('llama.attention.head_count_kv', heads),
    pair('llama.rope.dimension_count', 64),
    pair('llama.vocab_size', tokenizer.words),
    Buffer.concat([
      text('llama.attention.layer_norm_rms_epsilon'),
      u32(type.f32),
      Buffer.from(Float32Array.of(1e-5).buffer),
    ]),
  ]
  let offset = 0
  const infos = tensors.map(tensor => {
    const { name, dims } = tensor
    const at = u64(offset)
    offset += padded(sizeOf(tensor))
    return Buffer.concat([text(name), u32(dims.length), ...dims.map(u64), u32(isNorm(tensor) ? f32 : q8), at])
  })
  const counts = [u64(tensors.length), u64(pairs.length + tokenizer.count)]
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), ...counts, ...pairs, tokenizer.pairs, ...infos])
  return Buffer.concat([head], padded(head.length))
}

/** Blocks of random weights that rows are cut from. */
function randomBlocks(seed: number): Buffer {
  const pool = Buffer.alloc(poolBlocks * blockBytes)
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1
  for (let at = 0; at < pool.length; at += blockBytes) {
    pool.writeUInt16LE(scale, at)
    for (let index = 2; index < blockBytes; index++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      pool.writeInt8(((state >>> 0) % 255) - 127, at + index)
    }
  }
  return pool
}

/** Writes one tensor; gives where in the pool the next one begins. Mute tokens weigh nothing, so that no answer ends early or breaks a character. */
async function writeTensor(
  file: FileHandle,
  tensor: Tensor,
  pool: Buffer,
  from: number,
  mute: ReadonlySet<number>,
): Promise<number> {
  const size = sizeOf(tensor)
  if (isNorm(tensor)) {
    await file.write(Buffer.concat([Buffer.from(new Float32Array(count(tensor)).fill(1).buffer)], padded(size)))
    return from
  }
  const data = Buffer.alloc(padded(size))
  let block = from
  for (let at = 0; at < size; ) {
    const blocks = Math.min(poolBlocks - block, (size - at) / blockBytes)
    pool.copy(data, at, block * blockBytes, (block + blocks) * blockBytes)
    at += blocks * blockBytes
    block = (block + blocks) % poolBlocks
  }
  const row = ((tensor.dims[0] ?? 0) / 32) * blockBytes
  if (tensor.name === 'output.weight') for (const id of mute) data.fill(0, id * row, (id + 1) * row)
  await file.write(data)
  return block
}
