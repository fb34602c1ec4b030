/** What the tests of the AI SDK provider share: providers of both specifications over one scripted session. */
import { writeEmbeddings } from '../kinds/index.ts'
import { createGridstr } from '../src/ai-sdk/index.ts'
import { answered, type Cast, says, scriptedSession } from './session-scripted.ts'

/** An answer of text that streams in these pieces. */
export const text = (...pieces: string[]) => ({
  moments: says(...pieces),
  outcome: answered({ text: pieces.join('') }),
})

export const provide = (reply: Cast['reply']) => {
  const session = scriptedSession({ reply })
  return { session, v4: createGridstr({ session }), v3: createGridstr({ session }, { specification: 'v3' }) }
}

/** The text of an embeddings result. */
export const vectorsOf = (...vectors: number[][]) =>
  writeEmbeddings({ model: 'nano', vectors: vectors.map(vector => Float32Array.from(vector)) })
