/**
 * JSON schemas as a small tree that can be written as a grammar. What a grammar cannot keep is refused by name: a rule
 * that is silently dropped would be a promise broken.
 *
 * Kept: `type` (also a list), `properties`, `required`, `additionalProperties`, `enum`, `const`, `items`, `prefixItems`,
 * `minItems`, `maxItems`, `minLength`, `maxLength`, `format` (date, time, date-time, uuid, email, ipv4), `minimum`,
 * `maximum` and their exclusive kin with whole bounds, `anyOf`, `oneOf`, `allOf` of one, `$ref` into `$defs` or
 * `definitions`. Where properties are named, no others are generated; of `oneOf` the first that fits may not be the only.
 * @module
 */
import { readAlternatives } from './schema-choices.ts'
import { type Reading, says } from './schema-reading.ts'
import { readTyped } from './schema-types.ts'
import { hasInstance, loops } from './schema-walks.ts'

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** One node of the tree. Bounds of numbers are whole; an `open` bound is not reached. */
export type Schema =
  | { readonly is: 'any' }
  | { readonly is: 'null' }
  | { readonly is: 'boolean' }
  | { readonly is: 'values'; readonly values: readonly Json[] }
  | { readonly is: 'string'; readonly min: number; readonly max?: number; readonly format?: string }
  | { readonly is: 'integer'; readonly from?: number; readonly to?: number }
  | {
      readonly is: 'number'
      readonly from?: number
      readonly to?: number
      readonly fromOpen: boolean
      readonly toOpen: boolean
    }
  | {
      readonly is: 'array'
      readonly first: readonly Schema[]
      readonly rest?: Schema
      readonly min: number
      readonly max?: number
    }
  | { readonly is: 'object'; readonly members: readonly Member[]; readonly more?: Schema; readonly maxMore?: number }
  | { readonly is: 'one'; readonly of: readonly Schema[] }
  | { readonly is: 'ref'; readonly to: string }

export interface Member {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

/** A whole schema: its root and what refs name. */
export interface Tree {
  readonly root: Schema
  readonly named: ReadonlyMap<string, Schema>
}

export type SchemaRead = { readonly ok: true; readonly tree: Tree } | { readonly ok: false; readonly says: string }

/** The tree of any JSON object, what `json_object` asks for. */
export const anyObject: Tree = { root: { is: 'object', members: [], more: { is: 'any' } }, named: new Map() }

/** Reads a JSON schema. `says` names the keyword and its place, and the way out. */
export function readSchema(schema: unknown): SchemaRead {
  const named = new Map<string, Schema>()
  const wanted = new Set<string>()
  let problem: string | undefined
  const reading: Reading = {
    fail(why) {
      problem ??= why
      return { is: 'any' }
    },
    want: pointer => void wanted.add(pointer),
    read: (value, at) => read(value, at, reading),
    tree: { root: { is: 'any' }, named },
  }
  const root = reading.read(schema, '#')
  // Reading a target may want more targets: a set grows while it is walked.
  for (const pointer of wanted) {
    const target = pointed(schema, pointer)
    named.set(pointer, target === undefined ? reading.fail(says.ref(pointer)) : reading.read(target, pointer))
    if (problem !== undefined) break
  }
  if (problem !== undefined) return { ok: false, says: problem }
  const tree = { root, named }
  if (loops(tree)) return { ok: false, says: says.loop }
  if (!hasInstance(tree)) return { ok: false, says: says.endless }
  return { ok: true, tree }
}

function read(value: unknown, at: string, reading: Reading): Schema {
  if (value === true) return { is: 'any' }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return reading.fail(says.noSchema(at))
  const schema: Readonly<Record<string, unknown>> = { ...value }
  return readAlternatives(schema, at, reading) ?? readTyped(schema, at, reading)
}

/** What a pointer names: the schema itself, or one of its definitions. */
function pointed(schema: unknown, pointer: string): unknown {
  let found: unknown = schema
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = Reflect.get(found, name)
  }
  return found
}
