/**
 * Terms and shares of payment as they are written on the command line.
 * @module
 */
import type { Split, WishedTerms } from '../../kinds/index.ts'
import { pubkeyFromText } from '../keys.ts'
import { quoted, UsageError } from './command.ts'

/**
 * Reads shares of the price such as `npub1…:10`, in percent: what is left is of `own`. Nothing where nobody is named.
 * Throws `UsageError`.
 */
export function splitsOf(texts: readonly string[], own: string): Split[] {
  const others = texts.map(text => {
    const [, key = '', percent = ''] = /^(.+):([0-9]{1,3})$/.exec(text) ?? []
    const weight = Number(percent)
    try {
      if (weight >= 1 && weight <= 100) return { pubkey: pubkeyFromText(key), relay: '', weight }
    } catch {
      // Said below, without the text: it may be a secret key, pasted by mistake.
    }
    throw new UsageError('--split: name a key and what it gets in percent: --split npub1…:10')
  })
  const left = others.reduce((rest, { weight }) => rest - weight, 100)
  const keys = new Set([own, ...others.map(({ pubkey }) => pubkey)])
  if (left < 0 || others.length > 7 || keys.size <= others.length)
    throw new UsageError('--split: name at most seven others, each once, with at most 100 percent together.')
  if (others.length === 0) return []
  return left > 0 ? [{ pubkey: own, relay: '', weight: left }, ...others] : others
}

/** Reads `before`, `after`, `hold`, `parts:4` or `escrow:npub1…`. Throws `UsageError`. */
export function termsOf(text: string | undefined): WishedTerms | undefined {
  if (text === undefined) return undefined
  const at = text.indexOf(':')
  const word = at < 0 ? text : text.slice(0, at)
  const rest = at < 0 ? '' : text.slice(at + 1)
  if ((word === 'before' || word === 'after' || word === 'hold') && rest === '') return { word }
  if (word === 'parts' && /^([2-9]|[1-5][0-9]|6[0-4])$/.test(rest)) return { word, parts: Number(rest) }
  if (word === 'escrow')
    try {
      return { word, verifier: pubkeyFromText(rest) }
    } catch {
      throw new UsageError('--terms escrow: needs the key of a verifier: --terms escrow:npub1…')
    }
  throw new UsageError(
    `--terms ${quoted(text)} is unknown: write before, after, hold, parts:N (N from 2 to 64) or escrow:NPUB.`,
  )
}
