/**
 * `defineKind`: from one definition come the reader, the writer, the printed page, the signed vectors and the tests.
 * @module
 */
import { broken, type Field, type Fields, type Found, type Tag } from './fields.ts'
import { type Encrypt, type Event, isSealed, type Read, type Refusal, type Template } from './kind.ts'
import { alwaysSealed, openContent, openTags, sealContent, sealTags } from './seal.ts'
import type { Definition, Rule, Spec } from './spec.ts'

/** Rules that every kind keeps. */
export const generalRules: readonly Rule[] = [
  { id: 'kind', says: 'The event is of this kind.' },
  { id: 'size', says: 'An event has at most 2,000 tags and 524,288 characters of content.' },
  { id: 'sealed', says: 'A sealed event is read only with its opened content.' },
]

const refusal = (rule: string, says: string): Refusal => ({ ok: false, rule, says })
const general = (id: string): Refusal => refusal(id, generalRules.find(rule => rule.id === id)?.says ?? id)
const maxTags = 2_000
const maxChars = 524_288
const maxIndexed = 1_024

/** True for an `encrypted` event and for kinds that are ciphertext by definition. */
const needsOpening = (event: Event): boolean => isSealed(event) || alwaysSealed.has(event.kind)

/** Makes a kind of its definition. Rule ids become `<number>.<field id or rule name>`. */
export function defineKind<V, F extends Fields, R extends string>(spec: Spec<V, F, R>): Definition<V> {
  const { number, name, seal } = spec
  const fields = Object.entries(spec.fields)
  const rules: Rule[] = [
    ...fields.flatMap(([, field]) =>
      field.rule === undefined ? [] : [{ id: `${number}.${field.id}`, says: field.rule }],
    ),
    ...Object.entries<string>(spec.rules).map(([id, says]) => ({ id: `${number}.${id}`, says })),
    ...(seal === 'tags'
      ? [
          {
            id: `${number}.opened`,
            says: 'Opened content is a JSON list of at most 200 tags of strings within 64 KiB.',
          },
        ]
      : []),
  ]
  const sentence = new Map(rules.map(rule => [rule.id, rule.says]))
  const refuse = (id: string): Refusal => refusal(`${number}.${id}`, sentence.get(`${number}.${id}`) ?? id)

  // What each field reads where it is not said.
  const unsaid = fields.map(([, field]) => field.read([], ''))
  const readTags = readerOf(fields, unsaid)

  const open = (event: Event, opened: string): Refusal | { tags: readonly Tag[]; content: string } => {
    if (seal !== 'tags') return openContent(event.tags, opened)
    const inner = openTags(opened)
    if (inner === undefined) return refuse('opened')
    // elisym leaves ["i", "encrypted", "text"] in public as a placeholder.
    const shown = event.tags.filter(tag => !(tag[0] === 'i' && tag[1] === 'encrypted'))
    if (!('bare' in inner)) return { tags: [...shown, ...inner.tags], content: inner.content }
    return { tags: spec.bare ? [...shown, spec.bare(inner.bare)] : shown, content: inner.bare }
  }

  const read = (event: Event, opened?: string): Read<V> => {
    if (event.kind !== number) return general('kind')
    if (event.tags.length > maxTags || Math.max(event.content.length, opened?.length ?? 0) > maxChars)
      return general('size')
    const closed = needsOpening(event)
    if (closed && opened === undefined) return general('sealed')
    const said = closed && opened !== undefined ? open(event, opened) : { tags: event.tags, content: event.content }
    if ('ok' in said) return said
    const found = readTags(said.tags, event.pubkey)
    if ('broken' in found) return refuse(found.broken)
    return spec.read(found.found as Found<F>, { event, content: said.content, refuse })
  }

  /** What our own reader makes of the tags of each field; throws where it would refuse, ignore or change one. */
  const hear = (said: { readonly [key: string]: unknown }): { tags: Tag[]; found: Record<string, unknown> } => {
    const tags: Tag[] = []
    const found: Record<string, unknown> = {}
    for (const [index, [key, field]] of fields.entries()) {
      const part: unknown = said[key]
      const spoken = part === undefined ? [] : field.write(part)
      const heard = spoken.length === 0 ? unsaid[index] : field.read(spoken, '')
      if (heard === broken) throw new TypeError(`${number}.${field.id}: ${field.rule ?? field.says}`)
      if (spoken.length > 0 && (heard === undefined || !sameTags(field.write(heard), spoken)))
        throw new TypeError(
          `${number}.${field.id}: readers would ignore or change ${JSON.stringify(spoken).slice(0, 200)}.`,
        )
      found[key] = heard
      tags.push(...spoken)
    }
    return { tags, found }
  }

  const write = (value: V, now: number, encrypt?: Encrypt): Template => {
    const said = spec.write(value)
    const content = said.content ?? ''
    const { tags, found } = hear(said.fields)
    if (spec.alt !== undefined) tags.push(['alt', spec.alt])
    const plain: Template = { kind: number, created_at: now, tags, content }
    const event: Event = { ...plain, id: '', pubkey: '', sig: '' }
    const again = tags.length > maxTags || content.length > maxChars ? general('size') : undefined
    const verdict = again ?? spec.read(found as Found<F>, { event, content, refuse })
    if (!verdict.ok) throw new TypeError(`${verdict.rule}: ${verdict.says}`)
    if (encrypt !== undefined) {
      if (seal === undefined) throw new TypeError(`A ${name} (${number}) is never sealed.`)
      if (seal === 'content') return sealContent(plain, encrypt)
      return sealTags(plain, text => {
        if (openTags(text) === undefined) throw new TypeError(`${number}.opened: ${refuse('opened').says}`)
        return encrypt(text)
      })
    }
    if (needsOpening(event) && seal === undefined) throw new TypeError(general('sealed').says)
    const long = tags.find(
      ([tag = '', first = '']) => tag.length === 1 && first.length * 3 > maxIndexed && utf8(first) > maxIndexed,
    )
    if (long)
      throw new TypeError(
        `Relays refuse a "${long[0]}" tag of more than ${maxIndexed} bytes: pass encrypt to seal this ${name}.`,
      )
    return plain
  }

  return {
    number,
    name,
    says: spec.says,
    source: spec.source,
    content: spec.content,
    ...(seal === undefined ? {} : { seal }),
    fields: fields.map(([, field]) => field),
    rules,
    good: spec.good,
    dialects: spec.dialects ?? [],
    bad: spec.bad,
    read,
    write,
  }
}

type Parts = { readonly found: Record<string, unknown> } | { readonly broken: string }

/** Reads all fields of a kind: the tags are sorted by name once, and what is not said is not asked for. */
function readerOf(
  fields: readonly (readonly [key: string, field: Field<unknown>])[],
  unsaid: readonly unknown[],
): (tags: readonly Tag[], author: string) => Parts {
  const places = new Map<string, number>()
  for (const [, { tag }] of fields) if (tag !== undefined && !places.has(tag)) places.set(tag, places.size)
  // Copied for each event: an object that grows by twenty members is slow to read.
  const silent: Record<string, unknown> = JSON.parse(
    JSON.stringify(Object.fromEntries(fields.map(([key]) => [key, 0]))),
  )
  const plan = fields.map(([key, field], index) => {
    const blank = unsaid[index]
    // A list must be a fresh one each time.
    const asks = typeof blank === 'object' && blank !== null
    silent[key] = asks ? undefined : blank
    return { key, field, blank, asks, place: field.tag === undefined ? -1 : (places.get(field.tag) ?? -1) }
  })
  return (tags, author) => {
    const heard: (Tag[] | undefined)[] = new Array(places.size).fill(undefined)
    for (const tag of tags) {
      const place = places.get(tag[0] ?? '')
      if (place === undefined) continue
      const same = heard[place]
      if (same) same.push(tag)
      else heard[place] = [tag]
    }
    const found = { ...silent }
    for (const { key, field, blank, asks, place } of plan) {
      const said = place < 0 ? tags : heard[place]
      const value = said || asks ? field.read(said ?? [], author) : blank
      if (value === broken) return { broken: field.id }
      if (value !== blank) found[key] = value
    }
    return { found }
  }
}

const sameTags = (a: readonly Tag[], b: readonly Tag[]): boolean =>
  a.length === b.length &&
  a.every((tag, i) => {
    const other = b[i]
    return other !== undefined && tag.length === other.length && tag.every((value, j) => value === other[j])
  })

const utf8 = (text: string): number => new TextEncoder().encode(text).length

type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T]

/** The object without its undefined members, as `exactOptionalPropertyTypes` wants it. */
export function present<T extends object>(
  parts: T,
): Omit<T, Optional<T>> & { [K in Optional<T>]?: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {}
  // Twice as fast as a list of keys; objects of ours inherit nothing that can be listed.
  for (const key in parts) {
    const part = parts[key]
    if (part !== undefined) kept[key] = part
  }
  return kept as Omit<T, Optional<T>> & { [K in Optional<T>]?: Exclude<T[K], undefined> }
}

/** A value that was read. */
export const ok = <V>(value: V): Read<V> => ({ ok: true, value })
