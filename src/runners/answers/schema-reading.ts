/**
 * What the readers of a JSON schema's parts share: the way down, the way out, and the sentences of refusal.
 * @module
 */
import type { Schema, Tree } from './schema.ts'

export interface Reading {
  /** Notes the first thing that cannot be kept. */
  fail(says: string): Schema
  /** A ref names this pointer. */
  want(pointer: string): void
  read(value: unknown, at: string): Schema
  /** What was read so far. */
  readonly tree: Tree
}

export type Keywords = Readonly<Record<string, unknown>>

/** Words that say something about a schema and ask for nothing. */
const notes = new Set(
  'title description default examples $schema $id $comment deprecated readOnly writeOnly $defs definitions'.split(' '),
)

/** Keywords that ask for something, in the order they were written. */
export const asking = (schema: Keywords): string[] =>
  Object.keys(schema).filter(key => !notes.has(key) && !key.startsWith('x-') && schema[key] !== undefined)

const shown = (at: string): string => (at.length > 120 ? `${at.slice(0, 120)}…` : at)

export const says = {
  keyword: (key: string, at: string) =>
    `the keyword ${JSON.stringify(key.slice(0, 64))} at ${shown(at)} cannot be kept by a grammar; leave it out and check the answer yourself`,
  value: (key: string, at: string, wants: string) =>
    `the keyword ${JSON.stringify(key)} at ${shown(at)} cannot be kept by a grammar unless it is ${wants}`,
  beside: (key: string, other: string, at: string) =>
    `${JSON.stringify(key)} beside ${JSON.stringify(other.slice(0, 64))} at ${shown(at)} cannot be kept by a grammar; write the whole schema into each alternative`,
  nothing: (at: string) => `nothing fits the schema at ${shown(at)}; correct its bounds or its values`,
  noSchema: (at: string) => `there is no schema at ${shown(at)}; write an object`,
  ref: (pointer: string) => `"$ref" to ${shown(pointer)} leads nowhere; define it in "$defs" of the same schema`,
  loop: 'a "$ref" of the schema leads back to itself without an object or a list between; leave that one out',
  endless: 'no finite JSON fits the schema, because it requires itself; make one of its properties optional',
} as const
