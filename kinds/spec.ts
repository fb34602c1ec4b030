/**
 * What a definition of a kind consists of, and what comes out of it.
 * @module
 */
import type { Field, Fields, Found, Tag } from './fields.ts'
import type { Event, Kind, Read, Refusal } from './kind.ts'

/** A good value in our own spelling. */
export interface GoodSample<V> {
  readonly says: string
  readonly value: V
}

/** An event as somebody else spells it. `opened` makes it a sealed one. */
export interface Spelling {
  readonly says: string
  readonly tags: readonly Tag[]
  readonly content?: string
  readonly opened?: string
}

/** Somebody else's spelling of a good value. */
export interface Dialect<V> extends Spelling {
  readonly value: V
}

/** An event that must be refused by exactly the rule it breaks. `breaks` is the part of the rule id after the dot. */
export interface BadSample extends Spelling {
  readonly breaks: string
}

/** What a reader may ask beside the fields. */
export interface Asked<R extends string> {
  readonly event: Event
  /** Opened content where the event is sealed, else the public one. */
  readonly content: string
  refuse(rule: R): Refusal
}

type Written<F> = { [K in keyof F]?: Found<F>[K] | undefined }

/** Everything there is to say about one kind. `rules` are the ones that no single field can hold. */
export interface Spec<V, F extends Fields, R extends string> {
  readonly number: number
  readonly name: string
  /** One or two sentences for the page. */
  readonly says: string
  /** The public text that this follows. */
  readonly source: string
  readonly fields: F
  /** What the content is. */
  readonly content: string
  readonly rules: Readonly<Record<R, string>>
  /** What moves into the ciphertext: private tags, or the bare content. Absent: this kind is never sealed. */
  readonly seal?: 'tags' | 'content'
  /** The tag that a bare opened text stands for, where tags are sealed. */
  readonly bare?: (text: string) => Tag
  /** NIP-31 fallback text. */
  readonly alt?: string
  read(found: Found<F>, asked: Asked<NoInfer<R>>): Read<NoInfer<V>>
  write(value: V): { readonly fields: Written<F>; readonly content?: string }
  readonly good: readonly GoodSample<NoInfer<V>>[]
  readonly dialects?: readonly Dialect<NoInfer<V>>[]
  readonly bad: readonly BadSample[]
}

/** One numbered rule of a page. */
export interface Rule {
  readonly id: string
  readonly says: string
}

/** A kind with what its page, its vectors and the suite need. */
export interface Definition<V> extends Kind<V> {
  readonly says: string
  readonly source: string
  readonly content: string
  readonly seal?: 'tags' | 'content'
  readonly fields: readonly Field<unknown>[]
  readonly rules: readonly Rule[]
  readonly good: readonly GoodSample<V>[]
  readonly dialects: readonly Dialect<V>[]
  readonly bad: readonly BadSample[]
}
