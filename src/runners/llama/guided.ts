/**
 * Plain text from models whose templates lead them from step to step (gpt-oss): node-llama-cpp's own chat follows them.
 * @module
 */
import type { ChatWrapper, LlamaContextSequence } from 'node-llama-cpp'
import { openTextOut } from '../answers/text-out.ts'
import { type Delta, RunnerError, type Work } from '../runner.ts'
import type { Binding } from './binding.ts'
import { historyOf } from './prompt.ts'
import type { Generated } from './speaking.ts'

/** Answers in text. Rejects with the signal's reason. */
export async function chat(
  { binding, wrapper, sequence }: { binding: Binding; wrapper: ChatWrapper; sequence: LlamaContextSequence },
  work: Work & { readonly maxTokens: number },
  emit: (delta: Delta) => void,
  signal: AbortSignal,
): Promise<Generated> {
  const { messages, maxTokens, temperature = 0, topP, topK, seed, stop = [] } = work
  const talk = new binding.LlamaChat({ contextSequence: sequence, chatWrapper: wrapper })
  // What a strategy throws is swallowed and the prompt cut all the same; only an abort ends the work.
  const cut = new AbortController()
  const stopped = new AbortController()
  const out = openTextOut({ stops: stop, emit })
  const before = sequence.tokenMeter.usedOutputTokens
  try {
    const { metadata } = await talk.generateResponse(historyOf(messages), {
      maxTokens,
      temperature,
      ...(topP !== undefined && { topP }),
      ...(topK !== undefined && { topK }),
      ...(seed !== undefined && { seed }),
      repeatPenalty: false,
      onTextChunk: text => {
        if (cut.signal.aborted || stopped.signal.aborted) return
        if (out.push(text)) stopped.abort(new RunnerError('a stop text came'))
      },
      signal: AbortSignal.any([signal, cut.signal, stopped.signal]),
      contextShift: {
        strategy: ({ chatHistory }) => {
          cut.abort(new RunnerError('the prompt does not fit into the context, although it was admitted'))
          return { chatHistory: [...chatHistory], metadata: null }
        },
      },
    })
    out.end('')
    return { outputTokens: counted(), finish: metadata.stopReason === 'maxTokens' ? 'length' : 'stop' }
  } catch (error) {
    if (stopped.signal.aborted && !signal.aborted) return { outputTokens: counted(), finish: 'stop' }
    throw error
  } finally {
    talk.dispose({ disposeSequence: false })
  }
  function counted(): number {
    return sequence.tokenMeter.usedOutputTokens - before
  }
}
