/**
 * Keywords of a JSON schema that belong to a type. Keywords of other types than the one said ask for nothing.
 * @module
 */
import { isRecord } from '../../../kinds/json.ts'
import { formats } from './formats.ts'
import type { Schema } from './schema.ts'
import { asking, type Keywords, type Reading, says } from './schema-reading.ts'

const keywordsOf: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
}
const known = new Set(['type', ...Object.values(keywordsOf).flat()])

/** The longest that a grammar counts to. */
const most = 1_000
/** Whole numbers are written with at most 15 digits. */
export const widest = 999_999_999_999_999

/** Reads a schema by its type; without one by its keywords, or as any JSON. */
export function readTyped(schema: Keywords, at: string, reading: Reading): Schema {
  const keys = asking(schema)
  const stranger = keys.find(key => !known.has(key))
  if (stranger !== undefined) return reading.fail(says.keyword(stranger, at))
  const { type } = schema
  if (Array.isArray(type) && type.length > 0)
    return { is: 'one', of: type.map(one => readOne(schema, one, at, reading)) }
  if (typeof type === 'string') return readOne(schema, type, at, reading)
  if (type !== undefined) return reading.fail(says.value('type', at, 'the name of a type or a list of names'))
  if (keys.length === 0) return { is: 'any' }
  const meant = Object.keys(keywordsOf).filter(name => keywordsOf[name]?.some(key => keys.includes(key)))
  return meant.length === 1
    ? readOne(schema, `${meant[0]}`, at, reading)
    : reading.fail(says.value('type', at, 'said, because the keywords are of several'))
}

function readOne(schema: Keywords, type: unknown, at: string, reading: Reading): Schema {
  if (type === 'null' || type === 'boolean') return { is: type }
  if (type === 'string') return readString(schema, at, reading)
  if (type === 'integer' || type === 'number') return readNumber(schema, type, at, reading)
  if (type === 'array') return readArray(schema, at, reading)
  if (type === 'object') return readObject(schema, at, reading)
  return reading.fail(says.value('type', at, 'object, array, string, number, integer, boolean or null'))
}

/** A count from 0 to 1,000; `undefined` where the keyword is not there. Fails on anything else. */
function count(schema: Keywords, key: string, at: string, reading: Reading): number | undefined {
  const value = schema[key]
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
  reading.fail(says.value(key, at, `a whole number from 0 to ${most}`))
  return undefined
}

function readString(schema: Keywords, at: string, reading: Reading): Schema {
  const min = count(schema, 'minLength', at, reading) ?? 0
  const max = count(schema, 'maxLength', at, reading)
  if (max !== undefined && max < min) return reading.fail(says.nothing(at))
  const { format } = schema
  if (format === undefined) return { is: 'string', min, ...(max === undefined ? {} : { max }) }
  if (typeof format !== 'string' || !formats.has(format))
    return reading.fail(says.value('format', at, `one of ${[...formats.keys()].join(', ')}`))
  if (min > 0 || max !== undefined) return reading.fail(says.beside('format', 'minLength or maxLength', at))
  return { is: 'string', min, format }
}

function readNumber(schema: Keywords, type: 'integer' | 'number', at: string, reading: Reading): Schema {
  const { multipleOf } = schema
  if (multipleOf !== undefined && !(multipleOf === 1 && type === 'integer'))
    return reading.fail(says.value('multipleOf', at, '1 of an integer'))
  const bound = (key: string): number | undefined => {
    const value = schema[key]
    if (value === undefined) return undefined
    if (typeof value === 'number' && (Number.isInteger(value) || type === 'integer')) return value
    reading.fail(says.value(key, at, 'a whole number'))
    return undefined
  }
  const [low, high] = [bound('minimum'), bound('maximum')]
  const [above, below] = [bound('exclusiveMinimum'), bound('exclusiveMaximum')]
  const least = Math.max(low ?? -Infinity, above ?? -Infinity)
  const top = Math.min(high ?? Infinity, below ?? Infinity)
  const fromOpen = above !== undefined && above === least
  const toOpen = below !== undefined && below === top
  if (type === 'integer') {
    const from = fromOpen ? Math.floor(least) + 1 : Math.ceil(least)
    const to = toOpen ? Math.ceil(top) - 1 : Math.floor(top)
    if (from > to || from > widest || to < -widest) return reading.fail(says.nothing(at))
    return { is: 'integer', ...(from > -widest ? { from } : {}), ...(to < widest ? { to } : {}) }
  }
  if (least > top || (least === top && (fromOpen || toOpen)) || least > widest || top < -widest)
    return reading.fail(says.nothing(at))
  return {
    is: 'number',
    ...(least > -widest ? { from: least } : {}),
    ...(top < widest ? { to: top } : {}),
    fromOpen,
    toOpen,
  }
}

function readArray(schema: Keywords, at: string, reading: Reading): Schema {
  const min = count(schema, 'minItems', at, reading) ?? 0
  const said = count(schema, 'maxItems', at, reading)
  const { items, prefixItems = [], uniqueItems } = schema
  if (!Array.isArray(prefixItems) || prefixItems.length > 64)
    return reading.fail(says.value('prefixItems', at, 'a list of 64 schemas or fewer'))
  const first = prefixItems.map((one, index) => reading.read(one, `${at}/prefixItems/${index}`))
  const max = items === false ? Math.min(said ?? most, first.length) : said
  if (uniqueItems !== undefined && uniqueItems !== false && (max === undefined || max > 1))
    return reading.fail(says.keyword('uniqueItems', at))
  if (max !== undefined && max < min) return reading.fail(says.nothing(at))
  const rest = items === false ? undefined : items === undefined ? any : reading.read(items, `${at}/items`)
  return { is: 'array', first, ...(rest ? { rest } : {}), min, ...(max === undefined ? {} : { max }) }
}

const any: Schema = { is: 'any' }

function readObject(schema: Keywords, at: string, reading: Reading): Schema {
  const { properties = {}, required = [], additionalProperties: extra } = schema
  if (!isRecord(properties)) return reading.fail(says.value('properties', at, 'an object of schemas'))
  if (!Array.isArray(required) || !required.every(name => typeof name === 'string'))
    return reading.fail(says.value('required', at, 'a list of names'))
  const needed = new Set(required)
  const others =
    extra === false ? undefined : extra === undefined ? any : reading.read(extra, `${at}/additionalProperties`)
  const members = Object.keys(properties).map(name => ({
    name,
    schema: reading.read(properties[name], `${at}/properties/${name}`),
    required: needed.has(name),
  }))
  for (const name of needed) {
    if (Object.hasOwn(properties, name)) continue
    if (!others) return reading.fail(says.nothing(at))
    members.push({ name, schema: others, required: true })
  }
  const min = count(schema, 'minProperties', at, reading) ?? 0
  const max = count(schema, 'maxProperties', at, reading)
  const sure = members.filter(member => member.required).length
  // An empty list of properties that says nothing of others means: none at all, as for tools without arguments.
  const open =
    members.length === 0 && others !== undefined && (schema['properties'] === undefined || extra !== undefined)
  if (min > sure) return reading.fail(says.value('minProperties', at, 'met by "required"'))
  if (max !== undefined && max < members.length)
    return reading.fail(says.value('maxProperties', at, 'at least the number of "properties"'))
  return { is: 'object', members, ...(open ? { more: others, ...(max === undefined ? {} : { maxMore: max }) } : {}) }
}
