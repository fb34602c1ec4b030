/**
 * What the records of work, trust and stake share: marked references, times, counts, shares.
 * @module
 */
import { jobIdOf } from './answers.ts'
import { broken, type Field, type Tag } from './fields.ts'
import { hex, integer, type Value } from './values.ts'

/** The factors of a score, each with six decimals: reliability, verified, speed, tenure, stake, latency. */
export interface Factors {
  readonly R: number
  readonly V: number
  readonly Q: number
  readonly T: number
  readonly K: number
  readonly L: number
}

const id = hex('')

/** The job of a record: its `e` with the marker `job`, else its first `e`. */
export const recordedJob = (rule: string): Field<string> => ({
  id: 'e',
  tag: 'e',
  form: '["e", "<job id>", "", "job"]',
  count: '1',
  says: 'The job. From others: the `e` with the marker `job`, else the first one.',
  rule,
  read: tags => jobIdOf({ tags }) ?? broken,
  write: job => [['e', job, '', 'job']],
})

/** An event that is named by an `e` with a marker, at most once. */
export const marked = (marker: string, says: string, rule: string): Field<string | undefined> => ({
  id: marker,
  tag: 'e',
  form: `["e", "<${marker} id>", "", "${marker}"]`,
  count: '0..1',
  says,
  rule,
  read(tags) {
    const named = new Set(tags.flatMap(tag => (tag[0] === 'e' && tag.indexOf(marker, 2) > 0 ? [tag[1] ?? ''] : [])))
    const [first] = named
    return named.size === 0 ? undefined : named.size > 1 || first === undefined || !id.read([first]) ? broken : first
  },
  write: said => (said === undefined ? [] : [['e', said, '', marker]]),
})

/** Every `e` that is not marked as the job, each once, at most `most`. */
export const evidenceField = (most: number, rule: string): Field<string[]> => ({
  id: 'evidence',
  tag: 'e',
  form: '["e", "<event id>"]',
  count: '0..n',
  says: `What it rests on: at most ${most} events.`,
  rule,
  read(tags) {
    const named = tags.filter(tag => tag[0] === 'e' && tag.indexOf('job', 2) < 0).map(tag => tag[1] ?? '')
    const whole = named.every(item => id.read([item]) !== undefined) && new Set(named).size === named.length
    return whole && named.length <= most ? named : broken
  },
  write: said => said.map((item): Tag => ['e', item]),
})

const millis = integer('', 0, 1_000_000_000)
const blank = (said: string): number | undefined | false =>
  said === '' ? undefined : (millis.read([said]) ?? (false as const))

/** How long it took, in milliseconds; either may be blank where it was not measured, but not both. */
export const timing: Value<{ readonly firstMs?: number; readonly ms?: number }> = {
  form: '<ms to the first token?> <ms in all?>',
  read([first = '', whole = '']) {
    const [firstMs, ms] = [blank(first), blank(whole)]
    if (firstMs === false || ms === false || (firstMs === undefined && ms === undefined)) return undefined
    return { ...(firstMs === undefined ? {} : { firstMs }), ...(ms === undefined ? {} : { ms }) }
  },
  write: ({ firstMs, ms }) => [String(firstMs ?? ''), String(ms ?? '')],
}

/** How long the whole took, in milliseconds. */
export const wholeTiming: Value<{ readonly firstMs?: number; readonly ms: number }> = {
  form: '<ms to the first token?> <ms in all>',
  read(said) {
    const { firstMs, ms } = timing.read(said) ?? {}
    return ms === undefined ? undefined : { ...(firstMs === undefined ? {} : { firstMs }), ms }
  },
  write: timing.write,
}

/** A count of tokens. */
export const tokens: Value<number> = integer('<output tokens>', 0, 1_000_000_000)

/** Place in a chain, from 0. */
export const place: Value<number> = integer('<number>', 0, Number.MAX_SAFE_INTEGER)

/** A number from 0 to `most` with at most six decimals, spelled as JavaScript spells it. */
export const sixths = (form: string, most: number): Value<number> => ({
  form,
  read([said = '']) {
    const number = /^[0-9]{1,16}(\.[0-9]{1,6})?$/.test(said) ? Number(said) : Number.NaN
    return number >= 0 && number <= most ? number : undefined
  },
  write: number => [String(number)],
})

/** A whole number of abstract units in plain digits. */
export const units: Value<bigint> = {
  form: '<units>',
  read: ([said = '']) => (/^[0-9]{1,19}$/.test(said) ? BigInt(said) : undefined),
  write: number => [String(number)],
}

/** One of these words. */
export const oneOf = <W extends string>(...words: readonly W[]): Value<W> => ({
  form: `<${words.join('|')}>`,
  read: ([said]) => words.find(word => word === said),
  write: word => [word],
})
