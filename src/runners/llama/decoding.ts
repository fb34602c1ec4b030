/**
 * Tokens to text, one after the other: characters of several tokens come out whole.
 * @module
 */
import type { LlamaModel, Token } from 'node-llama-cpp'

/** Tokens that one character can be spread over at most; beyond that the bytes are none. */
const mostPending = 8
/** Tokens that the text of the next one may depend on. */
const lookBack = 3

/** Opens a decoder behind these tokens. */
export function openDecoding(
  model: LlamaModel,
  before: readonly Token[],
): { push(token: Token): string; rest(): string } {
  let last = before.slice(-lookBack)
  let pending: Token[] = []
  const take = (text: string): string => {
    last = [...last, ...pending].slice(-lookBack)
    pending = []
    return text
  }
  return {
    push(token) {
      pending.push(token)
      const text = model.detokenize(pending, false, last)
      return text.endsWith('\ufffd') && pending.length < mostPending ? '' : take(text)
    },
    rest: () => (pending.length === 0 ? '' : take(model.detokenize(pending, false, last))),
  }
}
