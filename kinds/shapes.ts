/**
 * Shapes of JSON: what a parsed value must look like, so that content is read as strictly as tags are.
 * @module
 */
import { isHex } from './hex.ts'
import { isRecord } from './json.ts'
import { msats } from './values.ts'

/** Gives the value where it has this shape, a fresh one for lists and records, else `undefined`. */
export type Shape<T> = (value: unknown) => T | undefined

/** A finite number from `least` to `most`. */
export const number =
  (least: number, most: number): Shape<number> =>
  value =>
    typeof value === 'number' && value >= least && value <= most ? value + 0 : undefined

/** A whole number from `least` to `most`. */
export const whole =
  (least: number, most: number = Number.MAX_SAFE_INTEGER): Shape<number> =>
  value =>
    Number.isSafeInteger(value) ? number(least, most)(value) : undefined

/** A string of `least` to `most` characters. */
export const string =
  (most: number, least = 0): Shape<string> =>
  value =>
    typeof value === 'string' && value.length >= least && value.length <= most ? value : undefined

/** Lower-case hex of 64 digits: ids, keys, digests. */
export const digest: Shape<string> = value => (typeof value === 'string' && isHex(value, 64) ? value : undefined)

/** Msats as a string of digits: JSON numbers are no money. */
export const money: Shape<bigint> = value => (typeof value === 'string' ? msats.read([value]) : undefined)

/** True or false. */
export const truth: Shape<boolean> = value => (typeof value === 'boolean' ? value : undefined)

/** One of these words. */
export const word =
  <T extends string>(...words: readonly T[]): Shape<T> =>
  value =>
    words.find(one => one === value)

/** A list of at most `most` items, each of the shape. */
export const listOf =
  <T>(shape: Shape<T>, most = 64): Shape<T[]> =>
  value => {
    if (!Array.isArray(value) || value.length > most) return undefined
    const items = value.map(shape).filter(item => item !== undefined)
    return items.length === value.length ? items : undefined
  }

type Shapes = Readonly<Record<string, Shape<unknown>>>
type Said<F> = F extends Shape<infer T> ? T : never
type Shaped<N, S> = { -readonly [K in keyof N]: Said<N[K]> } & { -readonly [K in keyof S]?: Said<S[K]> }

/** An object with all of `needed` and, each right or absent, some of `spare`; other members are left out. */
export const record = <N extends Shapes, S extends Shapes>(needed: N, spare: S): Shape<Shaped<N, S>> => {
  const members = [...Object.entries(needed), ...Object.entries(spare)]
  const must = Object.keys(needed).length
  return value => {
    if (!isRecord(value)) return undefined
    const found: Record<string, unknown> = {}
    let at = 0
    for (const [key, shape] of members) {
      const said = value[key]
      const part = said === undefined ? undefined : shape(said)
      if (part !== undefined) found[key] = part
      else if (at < must || said !== undefined) return undefined
      at++
    }
    return found as Shaped<N, S>
  }
}
