/**
 * Counted fields: how often a tag may appear in an event of a kind, what it says, and whether a bad one refuses the event.
 * @module
 */
import type { Value } from './values.ts'

export type Tag = readonly string[]

/** A tag's name, or `param` and the spellings of its key: the first is written, all are read, blank ones are not said. */
export type Source = string | readonly [tag: 'param', key: string, ...aliases: string[]]

/** One field of a kind. `rule` is the sentence that a bad or missing tag breaks; without it bad tags are ignored. */
export interface Field<T> {
  readonly id: string
  /** How a page shows it: `["bid", "<msats>"]`. */
  readonly form: string
  readonly count: '1' | '0..1' | '0..n' | '1..n'
  readonly says: string
  readonly rule?: string
  /** The name of the tags that it looks at, where it looks at no others: only those are given to `read`. */
  readonly tag?: string
  /** `broken` where the rule is broken. `author` is the key that signed the event. */
  read(tags: readonly Tag[], author: string): T | typeof broken
  write(value: T): readonly Tag[]
}

export type Fields = Readonly<Record<string, Field<unknown>>>

/** What the fields of a kind read into. */
export type Found<F> = {
  [K in keyof F]: F[K] extends { read(...args: never[]): infer T } ? Exclude<T, typeof broken> : never
}

/** Says that a tag broke its rule. */
export const broken: unique symbol = Symbol('broken')

interface Named {
  readonly head: Tag
  readonly id: string
  readonly tag: string
  values(tag: Tag): Tag | undefined
}

/** All but the name. Most tags have one value or two, and slices of frozen lists are slow. */
const rest = (tag: Tag): Tag => {
  if (tag.length === 2) return [tag[1] ?? '']
  return tag.length === 3 ? [tag[1] ?? '', tag[2] ?? ''] : tag.slice(1)
}

const names = (source: Source): Named => {
  if (typeof source === 'string')
    return { head: [source], id: source, tag: source, values: tag => (tag[0] === source ? rest(tag) : undefined) }
  const [name, key, ...aliases] = source
  const keys = new Set([key, ...aliases])
  const values = (tag: Tag) => (tag[0] === name && tag[2] && keys.has(tag[1] ?? '') ? tag.slice(2) : undefined)
  return { head: [name, key], id: key, tag: name, values }
}

const describe = ({ head, id, tag }: Named, value: Value<unknown>): { id: string; tag: string; form: string } => {
  return {
    id,
    tag,
    form: `[${[...head, ...(value.form.match(/<[^>]*>|[^\s<]+/g) ?? [])].map(part => `"${part}"`).join(', ')}]`,
  }
}

const pick = <T>(named: Named, value: Value<T>, tags: readonly Tag[]): (T | undefined)[] => {
  const found: (T | undefined)[] = []
  for (const tag of tags) {
    const said = named.values(tag)
    if (said) found.push(value.read(said))
  }
  return found
}

/** Said at most once (the same thing twice is once); a bad one breaks the rule. */
export const maybe = <T>(source: Source, value: Value<T>, says: string, rule: string): Field<T | undefined> => {
  const named = names(source)
  return {
    ...describe(named, value),
    count: '0..1',
    says,
    rule,
    read(tags) {
      const [only] = tags
      // Nearly always it is said once, and spelling is dear.
      if (only && tags.length === 1) {
        const said = named.values(only)
        return said ? (value.read(said) ?? broken) : undefined
      }
      const found = pick(named, value, tags)
      const [first] = found
      if (found.length === 0) return undefined
      if (found.includes(undefined) || first === undefined) return broken
      const spelled = JSON.stringify(value.write(first))
      return found.every(item => item !== undefined && JSON.stringify(value.write(item)) === spelled) ? first : broken
    },
    write: item => (item === undefined ? [] : [[...named.head, ...value.write(item)]]),
  }
}

/** Said exactly once. */
export const one = <T>(source: Source, value: Value<T>, says: string, rule: string): Field<T> => {
  const inner = maybe(source, value, says, rule)
  return { ...inner, count: '1', read: (tags, author) => inner.read(tags, author) ?? broken }
}

/** Said at most once by us; from others the first readable one counts and the rest is ignored. */
export const loose = <T>(source: Source, value: Value<T>, says: string): Field<T | undefined> => {
  const named = names(source)
  return {
    ...describe(named, value),
    count: '0..1',
    says,
    read(tags) {
      for (const tag of tags) {
        const said = named.values(tag)
        const item = said && value.read(said)
        if (item !== undefined) return item
      }
      return undefined
    },
    write: item => (item === undefined ? [] : [[...named.head, ...value.write(item)]]),
  }
}

/** Said any number of times up to `most`; a bad one, or one too many, breaks the rule. */
export const many = <T>(source: Source, value: Value<T>, says: string, rule: string, most = 64): Field<T[]> => {
  const named = names(source)
  return {
    ...describe(named, value),
    count: '0..n',
    says,
    rule,
    read(tags) {
      const good: T[] = []
      for (const tag of tags) {
        const said = named.values(tag)
        if (!said) continue
        const item = value.read(said)
        if (item === undefined || good.length === most) return broken
        good.push(item)
      }
      return good
    },
    write: items => items.map(item => [...named.head, ...value.write(item)]),
  }
}

/** Like `many`, and at least once. */
export const some = <T>(source: Source, value: Value<T>, says: string, rule: string, most = 64): Field<T[]> => {
  const inner = many(source, value, says, rule, most)
  const read = (tags: readonly Tag[], author: string) => {
    const found = inner.read(tags, author)
    return found === broken || found.length === 0 ? broken : found
  }
  return { ...inner, count: '1..n', read }
}

/** A list in one tag (`relays`, and only strangers send several): all of them joined, repetitions and bad ones left out. */
export const list = <T>(source: Source, value: Value<T[]>, says: string, most = 10): Field<T[]> => {
  const named = names(source)
  return {
    ...describe(named, value),
    count: '0..1',
    says,
    read(tags) {
      if (tags.length === 0) return []
      return [...new Set(pick(named, value, tags).flatMap(item => item ?? []))].slice(0, most)
    },
    write: items => (items.length === 0 ? [] : [[...named.head, ...value.write(items)]]),
  }
}

/** Any number of tags, one item each: repetitions, bad ones and what is beyond `most` are left out. */
export const each = <T>(source: Source, value: Value<T>, says: string, most = 64): Field<T[]> => {
  const named = names(source)
  return {
    ...describe(named, value),
    count: '0..n',
    says,
    read(tags) {
      if (tags.length === 0) return []
      return [...new Set(pick(named, value, tags).filter(item => item !== undefined))].slice(0, most)
    },
    write: items => items.map(item => [...named.head, ...value.write(item)]),
  }
}
