/**
 * Texts as the numbers that a model reads, by its own `tokenizer.json`. The only file that knows the tokenizer library.
 * @module
 */
import type { JsonObject } from '../../../kinds/index.ts'
import { RunnerError } from '../runner.ts'

/** A text, or a pair of them, as token ids; `types` tells the second of a pair. */
export interface Tokens {
  readonly ids: readonly number[]
  readonly types: readonly number[]
}

export interface TextTokenizer {
  readonly padId: number
  /** Special tokens included, nothing cut off. Throws where the library does. */
  encode(text: string, pair?: string): Tokens
}

const wordOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null && 'content' in value ? wordOf(value.content) : undefined
}

/** Opens the tokenizer of a model. Throws `RunnerError` for one that the library does not know. */
export async function openTokenizer(json: JsonObject, config: JsonObject, padId?: number): Promise<TextTokenizer> {
  const { Tokenizer } = await import('@huggingface/tokenizers')
  try {
    const tokenizer = new Tokenizer(json, config)
    const padWord = wordOf(config['pad_token'])
    const pad = padId ?? (padWord === undefined ? undefined : tokenizer.token_to_id(padWord))
    return {
      padId: pad ?? tokenizer.token_to_id('[PAD]') ?? tokenizer.token_to_id('<pad>') ?? 0,
      encode(text, pair) {
        // A tokenizer without a post-processor gives no types, whatever its signature says.
        const { ids, token_type_ids: types = [] }: { ids: number[]; token_type_ids?: number[] } = tokenizer.encode(
          text,
          // An empty second text would be taken for none.
          { ...(pair !== undefined && { text_pair: pair || ' ' }), return_token_type_ids: true },
        )
        return { ids, types: ids.map((_, at) => types[at] ?? 0) }
      },
    }
  } catch (error) {
    const says = `tokenizer.json cannot be used: ${error instanceof Error ? error.message : error}`
    throw new RunnerError(`${says}; give the folder of a model that ships a fast tokenizer`, { cause: error })
  }
}
