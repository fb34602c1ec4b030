/**
 * Schemas as GBNF, the form of grammars that llama.cpp reads: whatever the model draws under one is JSON of the schema.
 * @module
 */
import { formats } from '../answers/formats.ts'
import type { Json, Schema, Tree } from '../answers/schema.ts'
import { widest } from '../answers/schema-types.ts'
import { digits, fraction, wholes } from './grammar-numbers.ts'

/** Repetitions that one grammar may count out, all together: llama.cpp writes each of them as rules of its own. */
const mostRepeats = 4_000

const base = [
  'value ::= map | list | string | number | "true" | "false" | "null"',
  'map ::= "{" (string colon value (comma string colon value)*)? "}"',
  'list ::= "[" (value (comma value)*)? "]"',
  'string ::= "\\"" char* "\\""',
  'char ::= [^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))',
  `number ::= "-"? ${digits} ("." ${fraction})? ([eE] [-+]? [0-9]{1,2})?`,
  `integer ::= "0" | "-"? [1-9] [0-9]{0,14}`,
  'comma ::= "," " "?',
  'colon ::= ":" " "?',
]

/** A grammar, or nothing where it would be larger than llama.cpp takes. */
export function grammarOf(tree: Tree): string | undefined {
  const rules: string[] = []
  const names = new Map([...tree.named.keys()].map((to, index) => [to, `ref-${index}`]))
  let serial = 0
  let repeats = 0
  const rule = (body: string): string => {
    const name = `part-${serial++}`
    rules.push(`${name} ::= ${body}`)
    return name
  }
  /** `{min,max}`; nothing for a `max` means no end. */
  const times = (min: number, max: number | undefined): string => {
    repeats += max ?? min
    return min === 0 && max === undefined ? '*' : `{${min},${max ?? ''}}`
  }

  const write = (schema: Schema): string => {
    switch (schema.is) {
      case 'any':
        return 'value'
      case 'null':
        return '"null"'
      case 'boolean':
        return '("true" | "false")'
      case 'values':
        return `(${schema.values.map(quoted).join(' | ')})`
      case 'ref':
        return names.get(schema.to) ?? 'value'
      case 'one':
        return rule(schema.of.map(write).join(' | '))
      case 'string':
        if (schema.format !== undefined) return `("\\"" ${formats.get(schema.format)?.grammar ?? ''} "\\"")`
        return schema.min === 0 && schema.max === undefined
          ? 'string'
          : `("\\"" char${times(schema.min, schema.max)} "\\"")`
      case 'integer':
        return schema.from === undefined && schema.to === undefined
          ? 'integer'
          : rule(wholes(schema.from ?? -widest, schema.to ?? widest))
      case 'number':
        return schema.from === undefined && schema.to === undefined ? 'number' : rule(numbers(schema))
      case 'array':
        return rule(array(schema))
      case 'object':
        return rule(object(schema))
    }
  }

  const array = ({ first, rest, min, max }: Extract<Schema, { is: 'array' }>): string => {
    if (max === 0) return '"[]"'
    const item = rest && rule(write(rest))
    if (first.length === 0) {
      if (!item) return '"[]"'
      const all = `${item} (comma ${item})${times(Math.max(0, min - 1), max === undefined ? undefined : max - 1)}`
      return `"[" ${min === 0 ? `(${all})?` : all} "]"`
    }
    const places = max === undefined ? first : first.slice(0, max)
    const beyond = max === undefined ? undefined : max - places.length
    let tail = item && beyond !== 0 ? `(comma ${item})${times(Math.max(0, min - places.length), beyond)}` : ''
    for (let index = places.length - 1; index >= 0; index--) {
      const here = `${index === 0 ? '' : 'comma '}${write(places[index] ?? { is: 'any' })} ${tail}`
      tail = index >= min ? `(${here})?` : here
    }
    return `"[" ${tail} "]"`
  }

  const object = ({ members, more, maxMore }: Extract<Schema, { is: 'object' }>): string => {
    if (more) {
      if (maxMore === 0) return '"{}"'
      const pair = `string colon ${rule(write(more))}`
      return `"{" (${pair} (comma ${pair})${times(0, maxMore === undefined ? undefined : maxMore - 1)})? "}"`
    }
    // Two chains from the end: what may follow when something is written already, and what may come first.
    let after = '""'
    let begin = '""'
    for (const { name, schema, required } of members.toReversed()) {
      const pair = rule(`${quoted(name)} colon ${write(schema)}`)
      const [next, skipped] = [after, begin]
      after = rule(required ? `comma ${pair} ${next}` : `comma ${pair} ${next} | ${next}`)
      begin = rule(required ? `${pair} ${next}` : `${pair} ${next} | ${skipped}`)
    }
    return `"{" ${begin} "}"`
  }

  const root = write(tree.root)
  for (const [to, schema] of tree.named) rules.push(`${names.get(to)} ::= ${write(schema)}`)
  if (repeats > mostRepeats) return undefined
  return [`root ::= ${root}`, ...rules, ...base].join('\n')
}

/** A grammar of some words, one of which is written. */
export const wordGrammar = (words: readonly string[]): string => `root ::= ${words.map(literal).join(' | ')}`

const quoted = (value: Json): string => literal(JSON.stringify(value))

/** A text as GBNF writes it. */
const literal = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\x7f', '\\x7F')}"`

/** Numbers between whole bounds: the whole part in its range, with a fraction where that stays inside. */
function numbers({ from = -widest, to = widest, fromOpen, toOpen }: Extract<Schema, { is: 'number' }>): string {
  const upward = (low: number, high: number, lowOpen: boolean, highOpen: boolean): string[] => {
    const parts: string[] = []
    const first = lowOpen ? low + 1 : low
    // A bound that is not reached still has fractions above it.
    if (lowOpen && low < high) parts.push(`"${low}." [0-9]{0,14} [1-9]`)
    if (first < high) parts.push(`(${wholes(first, high - 1)}) ("." ${fraction})?`)
    if (!highOpen && first <= high) parts.push(`"${high}"`)
    return parts
  }
  const parts: string[] = []
  if (to > 0 || (to === 0 && !toOpen)) parts.push(...upward(Math.max(0, from), to, fromOpen && from >= 0, toOpen))
  if (from < 0) {
    // Below zero everything is mirrored: the upper bound is the one that comes first.
    const below = upward(Math.max(0, -to), -from, (toOpen && to <= 0) || to > 0, fromOpen)
    if (below.length > 0) parts.push(`"-" (${below.join(' | ')})`)
  }
  return parts.join(' | ')
}
