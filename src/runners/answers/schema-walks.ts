/**
 * Walks through a schema's tree: whether a value fits, whether anything finite does, and the plainest that does.
 * @module
 */
import { formats } from './formats.ts'
import type { Json, Schema, Tree } from './schema.ts'

/** True for a value that the schema's grammar may write. Of objects with named properties nothing else may be in it. */
export function accepts({ root, named }: Tree, value: unknown): boolean {
  const fits = (schema: Schema, one: unknown): boolean => {
    if (schema.is === 'any') return true
    if (schema.is === 'null') return one === null
    if (schema.is === 'boolean') return typeof one === 'boolean'
    if (schema.is === 'values') return schema.values.some(other => JSON.stringify(other) === JSON.stringify(one))
    if (schema.is === 'ref') return fits(named.get(schema.to) ?? { is: 'any' }, one)
    if (schema.is === 'one') return schema.of.some(other => fits(other, one))
    if (schema.is === 'string') return typeof one === 'string' && fitsString(schema, one)
    if (schema.is === 'integer' || schema.is === 'number') return typeof one === 'number' && fitsNumber(schema, one)
    if (schema.is === 'array') {
      const { first, rest, min, max = Number.POSITIVE_INFINITY } = schema
      if (!Array.isArray(one) || one.length < min || one.length > max) return false
      return one.every((item, index) => {
        const its = first[index] ?? rest
        return its !== undefined && fits(its, item)
      })
    }
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return false
    const { members, more } = schema
    const names = new Set(members.map(({ name }) => name))
    return (
      members.every(member =>
        Object.hasOwn(one, member.name) ? fits(member.schema, Reflect.get(one, member.name)) : !member.required,
      ) && Object.entries(one).every(([name, item]) => names.has(name) || (more !== undefined && fits(more, item)))
    )
  }
  return fits(root, value)
}

function fitsString({ min, max = Number.POSITIVE_INFINITY, format }: Extract<Schema, { is: 'string' }>, text: string) {
  const length = [...text].length
  return length >= min && length <= max && (format === undefined || formats.get(format)?.pattern.test(text) === true)
}

function fitsNumber(schema: Extract<Schema, { is: 'integer' | 'number' }>, value: number): boolean {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = schema
  if (value < from || value > to) return false
  if (schema.is === 'integer') return Number.isInteger(value)
  return !(schema.fromOpen && value === from) && !(schema.toOpen && value === to)
}

/** True where a ref comes back to itself with nothing written between, which no grammar can be read from. */
export function loops({ root, named }: Tree): boolean {
  const done = new Set<string>()
  const walk = (schema: Schema, open: ReadonlySet<string>): boolean => {
    if (schema.is === 'one') return schema.of.some(one => walk(one, open))
    if (schema.is !== 'ref' || done.has(schema.to)) return false
    if (open.has(schema.to)) return true
    const found = walk(named.get(schema.to) ?? { is: 'any' }, new Set([...open, schema.to]))
    done.add(schema.to)
    return found
  }
  return walk(root, new Set()) || [...named.keys()].some(to => walk({ is: 'ref', to }, new Set()))
}

/** True where something finite fits. */
export function hasInstance({ root, named }: Tree): boolean {
  const finite = new Set<string>()
  const ends = (schema: Schema): boolean => {
    if (schema.is === 'ref') return finite.has(schema.to)
    if (schema.is === 'one') return schema.of.some(ends)
    if (schema.is === 'object') return schema.members.every(member => !member.required || ends(member.schema))
    if (schema.is !== 'array') return true
    for (let index = 0; index < schema.min; index++) {
      const its = schema.first[index]
      if (its ? !ends(its) : !(schema.rest && ends(schema.rest))) return false
      if (!its) break
    }
    return true
  }
  for (let before = -1; before < finite.size; ) {
    before = finite.size
    for (const [to, schema] of named) if (ends(schema)) finite.add(to)
  }
  return ends(root)
}

/** The plainest value that fits, in at most `budget` parts; nothing where it would need more. */
export function plainest({ root, named }: Tree, budget = 10_000): Json | undefined {
  let left = budget
  let deepest = 0
  const make = (schema: Schema, depth: number): Json | undefined => {
    if (left-- <= 0 || depth > deepest) return undefined
    if (schema.is === 'any' || schema.is === 'null') return null
    if (schema.is === 'boolean') return false
    if (schema.is === 'values') return schema.values[0]
    if (schema.is === 'ref') return make(named.get(schema.to) ?? { is: 'any' }, depth + 1)
    if (schema.is === 'integer' || schema.is === 'number') return plainNumber(schema)
    if (schema.is === 'string') return plainString(schema)
    if (schema.is === 'one') {
      for (const one of schema.of) {
        const made = make(one, depth)
        if (made !== undefined) return made
      }
      return undefined
    }
    if (schema.is === 'array') {
      const items: Json[] = []
      for (let index = 0; index < schema.min; index++) {
        const made = make(schema.first[index] ?? schema.rest ?? { is: 'any' }, depth)
        if (made === undefined) return undefined
        items.push(made)
      }
      return items
    }
    const made: [string, Json][] = []
    for (const member of schema.members) {
      if (!member.required) continue
      const value = make(member.schema, depth)
      if (value === undefined) return undefined
      made.push([member.name, value])
    }
    return Object.fromEntries(made)
  }
  // Deeper step by step, so that a schema that may contain itself is not followed where it need not be.
  for (; deepest <= 64; deepest = deepest * 2 || 1) {
    const made = make(root, 0)
    if (made !== undefined || left <= 0) return made
  }
  return undefined
}

function plainNumber(schema: Extract<Schema, { is: 'integer' | 'number' }>): number {
  if (fitsNumber(schema, 0)) return 0
  const { from, to } = schema
  const near = from !== undefined && from >= 0 ? from : (to ?? 0)
  const step = near === from ? 1 : -1
  return [near, near + step, near + step / 2].find(value => fitsNumber(schema, value)) ?? near
}

function plainString({ min, format }: Extract<Schema, { is: 'string' }>): string {
  return (format === undefined ? undefined : formats.get(format)?.sample) ?? 'x'.repeat(min)
}
