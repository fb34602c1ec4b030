/**
 * What one tag says after its name: how each value is read from strings and written back.
 * @module
 */

import { isHex } from './hex.ts'

/** Reads the strings after a tag's name into `T`, or `undefined` where they are no such thing. */
export interface Value<T> {
  /** How a page shows it: `<msats>`. */
  readonly form: string
  read(values: readonly string[]): T | undefined
  write(value: T): readonly string[]
}

const single = <T>(form: string, read: (text: string) => T | undefined, write: (value: T) => string): Value<T> => ({
  form,
  read: values => (values[0] === undefined ? undefined : read(values[0])),
  write: value => [write(value)],
})
const same = (text: string): string => text

/** Text of one to `most` characters. */
export const text = (form: string, most = 256): Value<string> =>
  single(form, value => (value.length > 0 && value.length <= most ? value : undefined), same)

/** Lower-case hex of so many characters: 64 for ids, keys and digests, 66 for Lightning node keys. */
export const hex = (form: string, chars = 64): Value<string> =>
  single(form, value => (isHex(value, chars) ? value : undefined), same)

/** The number that at most fifteen digits say, -1 for anything else. Most integers are that, and patterns are dear. */
function digitsOf(value: string): number {
  if (value.length === 0 || value.length > 15) return -1
  let number = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return -1
    number = number * 10 + digit
  }
  return number
}

/** A whole number in decimal digits. */
export const integer = (form: string, least: number, most: number): Value<number> =>
  single(
    form,
    value => {
      const short = digitsOf(value)
      const number = short >= 0 ? short : /^-?[0-9]{1,16}$/.test(value) ? Number(value) : Number.NaN
      return Number.isSafeInteger(number) && number >= least && number <= most ? number + 0 : undefined
    },
    String,
  )

/** A decimal number; `NaN`, hex and blanks are none. */
export const decimal = (form: string, least: number, most: number): Value<number> =>
  single(
    form,
    value => {
      const number = /^-?[0-9]{1,16}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?$/.test(value) ? Number(value) : Number.NaN
      return number >= least && number <= most ? number + 0 : undefined
    },
    value => String(value),
  )

/** Millisatoshis in at most 19 digits (all bitcoin there will be fits). */
export const msats: Value<bigint> = single(
  '<msats>',
  value => (/^[0-9]{1,19}$/.test(value) ? BigInt(value) : undefined),
  String,
)

/** Unix seconds. */
export const seconds: Value<number> = integer('<unix seconds>', 0, 99_999_999_999)

/** `true` or `1` is yes, `false` or `0` is no. */
export const yes: Value<boolean> = single(
  'true',
  value => (value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : undefined),
  String,
)

const spelled = new Map<string, string | undefined>()

/** One spelling per relay (lower-case host, no default port, no bare slash); `undefined` for what is no ws(s) URL. */
export function relayUrl(value: string): string | undefined {
  if (value === '' || value.length > 512) return undefined
  // The same few relays come with every event, and reading an address is dear.
  if (spelled.has(value)) return spelled.get(value)
  if (spelled.size >= 512) spelled.clear()
  const found = spell(value)
  spelled.set(value, found)
  return found
}

function spell(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined
  const url = new URL(value)
  if ((url.protocol !== 'wss:' && url.protocol !== 'ws:') || url.hostname === '') return undefined
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.protocol}//${url.host}${path}${url.search}`
}

/** A list of relays in one tag: what is no relay is left out, at most ten are kept. */
export const relayList: Value<string[]> = {
  form: '<wss://…> …',
  read: values => [...new Set(values.slice(0, 100).flatMap(value => relayUrl(value) ?? []))].slice(0, 10),
  write: relays => relays,
}

/** True for what has the shape of a BOLT 11 invoice; whether it is one is for the reader of invoices to say. */
export const looksLikeInvoice = (value: string): boolean =>
  value.length <= 8_192 && /^ln(?!url)[a-z]{2}[0-9a-z]{10,}$/i.test(value)

/** What an `amount` tag asks for. Unparsable money is unknown money (`undefined`), never zero. */
export interface Amount {
  readonly msats?: bigint
  readonly bolt11?: string
}

/** NIP-90 `amount`: msats in plain digits, then an invoice only where it looks like one; `lightning:` is stripped. */
export const amount: Value<Amount> = {
  form: '<msats> <bolt11?>',
  read([money = '', third = '']) {
    const read = msats.read([money])
    const bolt11 = third.trim().replace(/^lightning:(\/\/)?/i, '')
    return {
      ...(read === undefined || read === 0n ? {} : { msats: read }),
      ...(looksLikeInvoice(bolt11) ? { bolt11 } : {}),
    }
  },
  write: ({ msats: money = 0n, bolt11 }) => (bolt11 === undefined ? [String(money)] : [String(money), bolt11]),
}
