/**
 * Embedding and reranking models of this network, as the AI SDK drives them.
 * @module
 */
import {
  embeddingsRequest,
  present,
  queryInput,
  readEmbeddings,
  readRanking,
  rerankRequest,
  textsInput,
} from '../../kinds/index.ts'
import type { Session } from '../session/session.ts'
import { answerOf, GridstrFailure, metadataOf } from './failure.ts'
import { optionsOf } from './question.ts'
import type { EmbeddingModel, RerankingModel, Specification, Warning } from './spec.ts'

/** Texts of one job. */
const mostTexts = 2_048

const named = (model: string) => (model === '' ? {} : { model })

/** An answer that was paid for and cannot be read. */
const garbage = (what: string, request: string, msats: bigint): GridstrFailure =>
  new GridstrFailure({
    code: 'unreadable',
    says: `The node's answer is no ${what}. Its signed events prove it; ask another node.`,
    ...{ request, msats },
  })

/** Opens the embedding model named `modelId`; the empty name is any. */
export function embeddingModel<S extends Specification>(
  specificationVersion: S,
  modelId: string,
  open: () => Promise<Session>,
): EmbeddingModel<S> {
  return {
    specificationVersion,
    provider: 'gridstr',
    modelId,
    maxEmbeddingsPerCall: mostTexts,
    supportsParallelCalls: true,
    async doEmbed({ values, abortSignal, providerOptions }) {
      const { dimensions } = providerOptions?.['gridstr'] ?? {}
      const session = await open()
      const question = {
        kind: embeddingsRequest.number,
        inputs: [textsInput(values)],
        ...present({ dimensions: typeof dimensions === 'number' ? dimensions : undefined }),
        ...named(modelId),
        ...optionsOf(providerOptions),
      }
      const answer = answerOf(await session.ask(question, abortSignal).outcome, abortSignal)
      const read = readEmbeddings(answer.text)
      if (read?.vectors.length !== values.length) throw garbage('list of as many vectors', answer.request, answer.msats)
      return {
        embeddings: read.vectors.map(vector => Array.from(vector)),
        usage: { tokens: answer.usage.promptTokens },
        providerMetadata: metadataOf(answer),
        warnings: [],
      }
    },
  }
}

/** Opens the reranking model named `modelId`; the empty name is any. Documents that are objects are ranked as JSON. */
export function rerankingModel<S extends Specification>(
  specificationVersion: S,
  modelId: string,
  open: () => Promise<Session>,
): RerankingModel<S> {
  return {
    specificationVersion,
    provider: 'gridstr',
    modelId,
    async doRerank({ documents, query, topN, abortSignal, providerOptions }) {
      const texts =
        documents.type === 'text' ? documents.values : documents.values.map(document => JSON.stringify(document))
      const warnings: Warning[] =
        documents.type === 'text'
          ? []
          : [{ type: 'unsupported', feature: 'documents that are objects', details: 'They are ranked as their JSON.' }]
      const session = await open()
      const question = {
        kind: rerankRequest.number,
        inputs: [queryInput(query), textsInput(texts)],
        ...present({ topN }),
        ...named(modelId),
        ...optionsOf(providerOptions),
      }
      const answer = answerOf(await session.ask(question, abortSignal).outcome, abortSignal)
      const read = readRanking(answer.text, texts.length)
      if (!read) throw garbage('ranking of these documents', answer.request, answer.msats)
      return {
        ranking: read.results.map(({ index, score }) => ({ index, relevanceScore: score })),
        providerMetadata: metadataOf(answer),
        warnings,
        response: { id: answer.request, modelId: answer.model },
      }
    },
  }
}
