/**
 * The language model interface of the AI SDK as far as this provider speaks it. One shape serves the specifications `v4`
 * (ai 7) and `v3` (ai 6): what differs between them is not used. Tests hold it against the SDK's own types.
 * @module
 */
import type { JsonObject } from '../../kinds/index.ts'

/** The specifications that are spoken. */
export type Specification = 'v4' | 'v3'

/** One part of a prompt. What is neither text nor a tool is told apart by `type` alone. */
export interface PromptPart {
  readonly type: string
  readonly text?: string
  readonly toolCallId?: string
  readonly toolName?: string
  readonly input?: unknown
  readonly output?: unknown
}

export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | readonly PromptPart[]
}

export interface CallTool {
  readonly type: string
  readonly name: string
  readonly description?: string
  readonly inputSchema?: unknown
}

export interface CallOptions {
  readonly prompt: readonly PromptMessage[]
  readonly maxOutputTokens?: number | undefined
  readonly temperature?: number | undefined
  readonly stopSequences?: readonly string[] | undefined
  readonly topP?: number | undefined
  readonly topK?: number | undefined
  readonly presencePenalty?: number | undefined
  readonly frequencyPenalty?: number | undefined
  readonly responseFormat?: { readonly type: 'text' } | { readonly type: 'json'; readonly schema?: unknown } | undefined
  readonly seed?: number | undefined
  readonly tools?: readonly CallTool[] | undefined
  readonly toolChoice?:
    | { readonly type: 'auto' | 'none' | 'required' }
    | { readonly type: 'tool'; readonly toolName: string }
    | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly reasoning?: string | undefined
  readonly providerOptions?: Readonly<Record<string, JsonObject | undefined>> | undefined
}

/** A setting that has no effect here. */
export interface Warning {
  type: 'unsupported'
  feature: string
  details: string
}

export interface ModelUsage {
  inputTokens: { total: number; noCache: number; cacheRead: undefined; cacheWrite: undefined }
  outputTokens: { total: number; text: number; reasoning: undefined }
}

export interface FinishReason {
  unified: 'stop' | 'length' | 'tool-calls' | 'error'
  raw: string
}

/** Under `nostr`: who answered, what it cost and which events prove it. Values are plain JSON; msats are a string. */
export interface Metadata {
  nostr: { [name: string]: string | number | null }
  [provider: string]: { [name: string]: string | number | null }
}

export type Content =
  | { type: 'text'; text: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string }

export interface Generated {
  content: Content[]
  finishReason: FinishReason
  usage: ModelUsage
  warnings: Warning[]
  providerMetadata: Metadata
  response: { id: string; modelId: string }
}

export type StreamPart =
  | { type: 'stream-start'; warnings: Warning[] }
  | { type: 'response-metadata'; id: string; modelId?: string }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'tool-input-start'; id: string; toolName: string }
  | { type: 'tool-input-delta'; id: string; delta: string }
  | { type: 'tool-input-end'; id: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string }
  | { type: 'finish'; usage: ModelUsage; finishReason: FinishReason; providerMetadata?: Metadata }
  | { type: 'error'; error: unknown }

export interface Streamed {
  stream: ReadableStream<StreamPart>
}

/** A language model of one specification. */
export interface LanguageModel<S extends Specification> {
  readonly specificationVersion: S
  readonly provider: string
  readonly modelId: string
  readonly supportedUrls: Record<string, RegExp[]>
  doGenerate(options: CallOptions): Promise<Generated>
  doStream(options: CallOptions): Promise<Streamed>
}

export interface EmbedOptions {
  readonly values: readonly string[]
  readonly abortSignal?: AbortSignal | undefined
  readonly providerOptions?: Readonly<Record<string, JsonObject | undefined>> | undefined
}

export interface Embedded {
  embeddings: number[][]
  usage: { tokens: number }
  providerMetadata: Metadata
  warnings: Warning[]
}

/** An embedding model of one specification. */
export interface EmbeddingModel<S extends Specification> {
  readonly specificationVersion: S
  readonly provider: string
  readonly modelId: string
  readonly maxEmbeddingsPerCall: number
  readonly supportsParallelCalls: boolean
  doEmbed(options: EmbedOptions): Promise<Embedded>
}

export interface RerankOptions {
  readonly documents:
    | { readonly type: 'text'; readonly values: readonly string[] }
    | { readonly type: 'object'; readonly values: readonly JsonObject[] }
  readonly query: string
  readonly topN?: number | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly providerOptions?: Readonly<Record<string, JsonObject | undefined>> | undefined
}

export interface Reranked {
  ranking: { index: number; relevanceScore: number }[]
  providerMetadata: Metadata
  warnings: Warning[]
  response: { id: string; modelId: string }
}

/** A reranking model of one specification. */
export interface RerankingModel<S extends Specification> {
  readonly specificationVersion: S
  readonly provider: string
  readonly modelId: string
  doRerank(options: RerankOptions): Promise<Reranked>
}
