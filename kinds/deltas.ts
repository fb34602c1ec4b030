/**
 * Answers that are more than text: one JSON object a line, each a piece of the answer, so that a stream of them can be
 * read while it grows and is the same bytes as the whole.
 * @module
 */
import { parseJson } from './json.ts'
import type { ToolCall } from './messages.ts'
import { listOf, number, record, type Shape, string, whole } from './shapes.ts'

/** The `output` that asks for such an answer. */
export const deltasOutput = 'application/x-ndjson'

/** One token as the model weighed it: natural logarithms, from -100,000 to 0. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  /** The likeliest tokens at this place, best first. */
  readonly top: readonly { readonly token: string; readonly logprob: number }[]
}

/** A piece of a call: `id` and `name` come with the first piece of each `index`, `arguments` are to be joined. */
export interface ToolCallPiece {
  readonly index: number
  readonly id?: string
  readonly name?: string
  readonly arguments?: string
}

/** One piece of an answer. */
export interface Delta {
  readonly text?: string
  readonly toolCall?: ToolCallPiece
  readonly logprobs?: readonly TokenLogprob[]
}

/** The whole answer, put together. */
export interface Gathered {
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  readonly logprobs: readonly TokenLogprob[]
}

const token = { token: string(1_024), logprob: number(-100_000, 0) }
const logprob: Shape<TokenLogprob> = record({ ...token, top: listOf(record(token, {}), 20) }, {})
const toolCallPiece: Shape<ToolCallPiece> = record(
  { index: whole(0, 127) },
  { id: string(256, 1), name: string(128, 1), arguments: string(262_144) },
)
const delta: Shape<Delta> = record(
  {},
  { text: string(1_048_576), toolCall: toolCallPiece, logprobs: listOf(logprob, 4_096) },
)

/** One line with its end. */
export const writeDelta = (value: Delta): string => `${JSON.stringify(value)}\n`

/** Reads one line; `undefined` for what is no delta. Unknown members are left out. */
export const readDelta = (line: string): Delta | undefined =>
  delta(parseJson(line, { chars: 2_097_152, depth: 6, nodes: 65_536 }))

/** Reads lines as they grow. */
export interface DeltaReader {
  /** Takes the next piece of text; gives the deltas of the lines that ended in it. Lines that are none are left out. */
  push(text: string): readonly Delta[]
  /** True when a line was no delta. */
  readonly spoiled: boolean
}

const longestLine = 4_194_304

/** Opens a reader; it holds at most 4,194,304 characters of an unfinished line, and a longer one is no delta. */
export function openDeltas(): DeltaReader {
  let rest: string[] = []
  let chars = 0
  let spoiled = false
  const take = (piece: string): void => {
    chars += piece.length
    if (chars <= longestLine) rest.push(piece)
    else rest = []
  }
  /** The line that ends here. */
  const read = (): Delta | undefined => {
    const found = chars > 0 ? readDelta(rest.join('')) : undefined
    if (chars > 0 && !found) spoiled = true
    rest = []
    chars = 0
    return found
  }
  return {
    push(text) {
      const [first = '', ...lines] = text.split('\n')
      const deltas: Delta[] = []
      take(first)
      for (const line of lines) {
        const found = read()
        if (found) deltas.push(found)
        take(line)
      }
      return deltas
    },
    get spoiled() {
      return spoiled || chars > longestLine
    },
  }
}

/** Puts deltas together. Calls without id or name are left out: nobody could answer them. */
export function gather(deltas: readonly Delta[]): Gathered {
  const calls = new Map<number, { id: string; name: string; arguments: string }>()
  for (const { toolCall } of deltas) {
    if (!toolCall) continue
    const call = calls.get(toolCall.index) ?? { id: '', name: '', arguments: '' }
    call.id ||= toolCall.id ?? ''
    call.name ||= toolCall.name ?? ''
    call.arguments += toolCall.arguments ?? ''
    calls.set(toolCall.index, call)
  }
  return {
    text: deltas.map(({ text = '' }) => text).join(''),
    toolCalls: [...calls]
      .sort(([a], [b]) => a - b)
      .flatMap(([, call]) => (call.id !== '' && call.name !== '' ? [call] : [])),
    logprobs: deltas.flatMap(({ logprobs = [] }) => logprobs),
  }
}
