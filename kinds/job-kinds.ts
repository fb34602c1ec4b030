/**
 * The kinds of work that are asked for alike: whoever serves or asks one serves or asks them all, and a kind more is one
 * line here.
 * @module
 */

import { type TextRequest, textRequest } from './5050-text-generation.ts'
import { type EmbeddingsRequest, embeddingsRequest } from './5080-embeddings.ts'
import { type RerankRequest, rerankRequest } from './5081-rerank.ts'
import { type ClassificationRequest, classificationRequest } from './5082-classification.ts'
import { textResult } from './6050-text-generation.ts'
import { embeddingsResult } from './6080-embeddings.ts'
import { rerankResult } from './6081-rerank.ts'
import { classificationResult } from './6082-classification.ts'
import type { TextResult } from './answers.ts'
import type { Encrypt, Event, Kind, Read, Template } from './kind.ts'

/** What a request of any of these kinds may say. Each kind reads and writes what concerns it and leaves the rest. */
export interface AnyRequest extends TextRequest, EmbeddingsRequest, RerankRequest, ClassificationRequest {}

/** One kind of work: its request and its result. */
export interface JobKind {
  readonly request: {
    readonly number: number
    readonly name: string
    read(event: Event, opened?: string): Read<AnyRequest>
    write(value: AnyRequest, now: number, encrypt?: Encrypt): Template
  }
  readonly result: Kind<TextResult>
}

/** Every one of them. */
export const jobKinds: readonly JobKind[] = [
  { request: textRequest, result: textResult },
  { request: embeddingsRequest, result: embeddingsResult },
  { request: rerankRequest, result: rerankResult },
  { request: classificationRequest, result: classificationResult },
]

/** The kind of work with this request number. */
export const jobKind = (number: number): JobKind | undefined =>
  jobKinds.find(({ request }) => request.number === number)
