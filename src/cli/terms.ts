/**
 * Terms of payment as they are written on the command line.
 * @module
 */
import type { WishedTerms } from '../../kinds/index.ts'
import { pubkeyFromText } from '../keys.ts'
import { quoted, UsageError } from './command.ts'

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
