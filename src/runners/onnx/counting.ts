/**
 * Counts tokens before anything is billed, and lets others have their turn meanwhile.
 * @module
 */
import type { WorkRefusal } from '../runner.ts'
import type { Sequence } from './tasks.ts'
import type { TextTokenizer, Tokens } from './tokenizer.ts'

/** What a model holds. */
export interface Sized {
  readonly name: string
  /** Of one text. */
  readonly contextTokens: number
  /** Of one piece of work. */
  readonly mostTokens: number
  readonly tokenizer: TextTokenizer
}

export interface Counted {
  readonly ok: true
  readonly sequences: readonly Tokens[]
  readonly promptTokens: number
}

const refuse = (rule: string, says: string): WorkRefusal => ({ ok: false, rule, says })
const turnChars = 16_384

/** Refuses by rule `too-long` a text beyond the context, and work beyond its bound; by rule `texts` one without a token. */
export async function countTokens(
  model: Sized,
  sequences: readonly Sequence[],
  signal: AbortSignal,
): Promise<Counted | WorkRefusal> {
  const { name, contextTokens, mostTokens, tokenizer } = model
  const counted: Tokens[] = []
  let promptTokens = 0
  let chars = 0
  for (const [at, [text, pair]] of sequences.entries()) {
    const length = text.length + (pair?.length ?? 0)
    // No text of so many characters has so few tokens; counting it would only cost time.
    if (length > contextTokens * 64)
      return refuse(
        'too-long',
        `text ${at + 1} has ${length} characters and ${name} holds ${contextTokens} tokens; shorten it`,
      )
    chars += length
    if (chars > turnChars) {
      chars = 0
      await new Promise(resolve => setImmediate(resolve))
      signal.throwIfAborted()
    }
    const tokens = tokenizer.encode(text, pair)
    if (tokens.ids.length === 0) return refuse('texts', `text ${at + 1} has no token; leave it out`)
    if (tokens.ids.length > contextTokens)
      return refuse(
        'too-long',
        `text ${at + 1} has ${tokens.ids.length} tokens and ${name} holds ${contextTokens}; shorten it`,
      )
    counted.push(tokens)
    promptTokens += tokens.ids.length
    if (promptTokens > mostTokens)
      return refuse(
        'too-long',
        `the first ${at + 1} texts have ${promptTokens} tokens and a job holds ${mostTokens}; send fewer`,
      )
  }
  return { ok: true, sequences: counted, promptTokens }
}
