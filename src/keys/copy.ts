/**
 * The copy by which an object of unknown origin becomes one whose seven fields cannot change between the check and
 * the use. Only own, plain fields are read, each once.
 * @module
 */
import { isHex } from '../../kinds/hex.ts'
import type { Event, Template } from '../../kinds/kind.ts'

/** True for 64 lower-case hex digits: an id or a public key. */
export const isHex64 = (value: unknown): value is string => typeof value === 'string' && isHex(value, 64)

/** True for 128 lower-case hex digits: a signature. */
export const isHex128 = (value: unknown): value is string => typeof value === 'string' && isHex(value, 128)

/** NIP-01 kind. */
export const isKind = (value: unknown): value is number => isWhole(value) && value <= 65_535

/** Unix seconds. */
export const isTime = (value: unknown): value is number => isWhole(value)

const isWhole = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)

/** Finds every proxy in Node; browsers offer nothing of the kind, there the copy is the only defence. */
const isProxy: (value: object) => boolean =
  globalThis.process?.getBuiltinModule?.('node:util')?.types?.isProxy ?? (() => false)

/** True for what fields may be read from: an object that is no proxy. */
export const isReadable = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !isProxy(value)

/** An own field that is a plain value; computed and inherited ones are `undefined`. May throw what a proxy throws. */
export const own = (object: object, name: string | number): unknown =>
  Object.getOwnPropertyDescriptor(object, name)?.value

/** What a tag list may cost. `copyTags` gives up as soon as a limit is passed and says so in `passed`. */
export interface TagBudget {
  readonly maxValues: number
  readonly maxChars: number
  values: number
  chars: number
  passed: boolean
}

/**
 * Copy of a list of lists of strings, or `undefined`. With a budget each item is read once by its index, which is a
 * tenth of the price: for those who hand on the copy and never look at `raw` again.
 */
export function copyTags(raw: unknown, budget?: TagBudget): string[][] | undefined {
  if (!isReadable(raw) || !Array.isArray(raw)) return undefined
  const tags: string[][] = []
  for (let i = 0; i < raw.length; i++) {
    const from: unknown = budget ? raw[i] : own(raw, i)
    if (!isReadable(from) || !Array.isArray(from)) return undefined
    const tag = budget ? read(from, budget) : describe(from)
    if (!tag) return undefined
    tags.push(tag)
  }
  return tags
}

function describe(from: readonly unknown[]): string[] | undefined {
  const tag: string[] = []
  for (let i = 0; i < from.length; i++) {
    const value = own(from, i)
    if (typeof value !== 'string') return undefined
    tag.push(value)
  }
  return tag
}

function read(from: readonly unknown[], budget: TagBudget): string[] | undefined {
  let tag: string[] = []
  for (let i = 0; i < from.length; i++) {
    const value = from[i]
    if (typeof value !== 'string' || !spend(budget, value)) return undefined
    // A list that is pushed to has room for seventeen, and nearly all tags have two or three.
    const [first = '', second = ''] = tag
    if (i === 0) tag = [value]
    else if (i === 1) tag = [first, value]
    else if (i === 2) tag = [first, second, value]
    else tag.push(value)
  }
  return tag
}

function spend(budget: TagBudget, value: string): boolean {
  budget.values++
  budget.chars += value.length
  budget.passed = budget.values > budget.maxValues || budget.chars > budget.maxChars
  return !budget.passed
}

/** Copy of what is to be signed, or `undefined` when a field is missing, inherited, computed or of the wrong shape. */
export function copyTemplate(raw: unknown): Template | undefined {
  if (!isReadable(raw)) return undefined
  const kind = own(raw, 'kind')
  const created_at = own(raw, 'created_at')
  const content = own(raw, 'content')
  if (!isKind(kind) || !isTime(created_at) || typeof content !== 'string') return undefined
  const tags = copyTags(own(raw, 'tags'))
  return tags && { kind, created_at, tags, content }
}

/** Copy of the seven fields, or `undefined` as above. Id and signature are not looked at beyond their shape. */
export function copyEvent(raw: unknown): Event | undefined {
  if (!isReadable(raw)) return undefined
  const template = copyTemplate(raw)
  return template && withProof(raw, template)
}

/** Adds id, author and signature to the copy of the other fields, or `undefined` when they have not the right shape. */
export function withProof(raw: object, template: Template): Event | undefined {
  const id = own(raw, 'id')
  const pubkey = own(raw, 'pubkey')
  const sig = own(raw, 'sig')
  if (!isHex64(id) || !isHex64(pubkey) || !isHex128(sig)) return undefined
  const { created_at, kind, tags, content } = template
  return { id, pubkey, created_at, kind, tags, content, sig }
}

/** Freezes an event with its tags. Only for objects that nobody else holds yet. */
export function freezeEvent(event: Event): Event {
  for (const tag of event.tags) Object.freeze(tag)
  Object.freeze(event.tags)
  return Object.freeze(event)
}
