/**
 * Keywords of a JSON schema that choose: a ref, one of several schemas, one of several values.
 * @module
 */
import type { Json, Schema } from './schema.ts'
import { asking, type Keywords, type Reading, says } from './schema-reading.ts'
import { accepts } from './schema-walks.ts'

/** Reads `$ref`, `allOf`, `anyOf`, `oneOf`, `enum` and `const`; nothing where the schema has none of them. */
export function readAlternatives(schema: Keywords, at: string, reading: Reading): Schema | undefined {
  const keys = asking(schema)
  const key = ['$ref', 'allOf', 'anyOf', 'oneOf', 'const', 'enum'].find(one => keys.includes(one))
  if (key === undefined) return undefined
  if (key === 'const' || key === 'enum') return readValues(schema, key, at, reading)
  const other = keys.find(one => one !== key && (one !== 'type' || key === '$ref' || key === 'allOf'))
  if (other !== undefined) return reading.fail(says.beside(key, other, at))
  if (key === '$ref') return readRef(schema['$ref'], at, reading)
  const list: unknown = schema[key]
  if (!Array.isArray(list) || list.length === 0) return reading.fail(says.value(key, at, 'a list of schemas'))
  if (key === 'allOf')
    return list.length === 1
      ? reading.read(list[0], `${at}/allOf/0`)
      : reading.fail(says.value(key, at, 'a list of one schema'))
  return { is: 'one', of: list.map((one, index) => reading.read(typed(one, schema['type']), `${at}/${key}/${index}`)) }
}

/** An alternative without a type of its own takes the type that stands beside the alternatives. */
function typed(alternative: unknown, type: unknown): unknown {
  if (type === undefined || typeof alternative !== 'object' || alternative === null) return alternative
  // A type of its own that is another one contradicts: no schema then, which refuses it.
  if ('type' in alternative) return alternative.type === type ? alternative : undefined
  return { type, ...alternative }
}

function readRef(pointer: unknown, at: string, reading: Reading): Schema {
  if (typeof pointer !== 'string' || !/^#($|\/(\$defs|definitions)\/[^/]+$)/.test(pointer))
    return reading.fail(says.value('$ref', at, '"#" or a name in "#/$defs/"'))
  reading.want(pointer)
  return { is: 'ref', to: pointer }
}

function readValues(schema: Keywords, key: 'const' | 'enum', at: string, reading: Reading): Schema {
  const { const: one, enum: several, ...rest } = schema
  if (one !== undefined && several !== undefined) return reading.fail(says.beside('const', 'enum', at))
  const values = key === 'const' ? [one] : several
  if (!Array.isArray(values)) return reading.fail(says.value('enum', at, 'a list of values'))
  const bound = asking(rest).length === 0 ? undefined : reading.read(rest, at)
  const fitting = values.filter(isJson).filter(value => !bound || accepts({ ...reading.tree, root: bound }, value))
  return fitting.length === 0 ? reading.fail(says.nothing(at)) : { is: 'values', values: fitting }
}

function isJson(value: unknown): value is Json {
  if (value === null || ['string', 'boolean'].includes(typeof value)) return true
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'object' && Object.values(value).every(isJson)
}
