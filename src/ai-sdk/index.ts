/**
 * `gridstr/ai-sdk`: a provider for the AI SDK. Models are asked through relays and paid over Lightning; nothing listens on
 * a port.
 * @module
 */
import type { SessionOptions } from '../session/index.ts'
import type { Session } from '../session/session.ts'
import { unusable } from './failure.ts'
import { languageModel } from './language-model.ts'
import { embeddingModel, rerankingModel } from './other-models.ts'
import type { EmbeddingModel, LanguageModel, RerankingModel, Specification } from './spec.ts'

export { GridstrFailure } from './failure.ts'
export type { EmbeddingModel, LanguageModel, Metadata, RerankingModel, Specification } from './spec.ts'

/** A session that is opened when it is first needed and closed by `close`, or one that is open and stays the caller's. */
export type GridstrOptions = SessionOptions | { readonly session: Session }

/** Models by name; the empty name is any model. */
export interface GridstrProvider<S extends Specification> {
  (modelId: string): LanguageModel<S>
  readonly specificationVersion: S
  languageModel(modelId: string): LanguageModel<S>
  embeddingModel(modelId: string): EmbeddingModel<S>
  rerankingModel(modelId: string): RerankingModel<S>
  /** Throws `GridstrFailure`: no kind of job brings images yet. */
  imageModel(modelId: string): never
  /** The session behind it: models on offer, money spent, jobs. */
  session(): Promise<Session>
  /** Lets go of relays and wallet. */
  close(): Promise<void>
}

/** A provider of the present specification (`v4`, ai 7). Settings of one call: `providerOptions.gridstr`. */
export function createGridstr(options: GridstrOptions): GridstrProvider<'v4'>
/** A provider of the specification before (`v3`, ai 6). */
export function createGridstr<S extends Specification>(
  options: GridstrOptions,
  how: { readonly specification: S },
): GridstrProvider<S>
export function createGridstr(
  options: GridstrOptions,
  { specification }: { readonly specification: Specification } = { specification: 'v4' },
): GridstrProvider<Specification> {
  let opening: Promise<Session> | undefined
  const session = (): Promise<Session> => {
    if ('session' in options) return Promise.resolve(options.session)
    opening ??= import('../session/index.ts').then(({ openSession }) => openSession(options))
    // Who could not open it now may be able to later.
    opening.catch(() => {
      opening = undefined
    })
    return opening
  }
  const language = (modelId: string) => languageModel(specification, modelId, session)
  return Object.assign(language, {
    specificationVersion: specification,
    languageModel: language,
    embeddingModel: (modelId: string) => embeddingModel(specification, modelId, session),
    rerankingModel: (modelId: string) => rerankingModel(specification, modelId, session),
    imageModel(): never {
      throw unusable('No kind of job brings images yet: ask for text, vectors or a ranking.')
    },
    session,
    async close() {
      await opening?.then(
        open => open.close(),
        () => undefined,
      )
    },
  })
}
