/**
 * How the verbs of `gridstr wallet` spell money, times and tables.
 * @module
 */
import { clean, quoted, UsageError } from '../../command.ts'

/** Sats as a decimal number without a thousands separator: `2`, `1.5`, `-0.001`. */
export function sats(msats: bigint): string {
  const size = msats < 0n ? -msats : msats
  const part = (size % 1000n).toString().padStart(3, '0').replace(/0+$/, '')
  return `${msats < 0n ? '-' : ''}${size / 1000n}${part === '' ? '' : `.${part}`}`
}

/** The same for people: `12,345.5 sats`, `1 sat`. */
export function inSats(msats: bigint): string {
  const [whole = '', part] = sats(msats).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return `${grouped}${part === undefined ? '' : `.${part}`} ${msats === 1000n ? 'sat' : 'sats'}`
}

/** Unix seconds as ISO 8601 in UTC. */
export const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** A stranger's text in one line. */
export const oneLine = (text: string): string => clean(text).replace(/\s+/g, ' ').trim()

/** Rows of equal length as aligned columns, the last one ragged. `right` columns end at their right edge. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => [...(row[column] ?? '')].length)))
  return rows.map(row =>
    row
      .map((cell, column) => {
        const fill = ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length))
        return right.includes(column) ? fill + cell : cell + fill
      })
      .join('  ')
      .trimEnd(),
  )
}

/**
 * Unix seconds of a date (`2026-01-31`, UTC), a time (`2026-01-31T12:00:00Z`) or an age (`90m`, `24h`, `7d`). With `end`,
 * a date means its last second. Throws `UsageError`.
 */
export function timeOf(option: string, said: string, now: number, end = false): number {
  const age = /^(\d{1,6})([mhd])$/.exec(said)
  if (age) return now - Number(age[1]) * (UNITS[age[2] ?? ''] ?? 0)
  const date = /^\d{4}-\d{2}-\d{2}$/.test(said)
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$/.test(said)
  const ms = date || time ? Date.parse(said) : Number.NaN
  // Date.parse takes the 31st of February for a day in March.
  if (Number.isNaN(ms) || (date && new Date(ms).toISOString().slice(0, 10) !== said))
    throw new UsageError(
      `--${option} ${quoted(said)}: write 2026-01-31, 2026-01-31T12:00:00Z, or an age such as 24h or 7d.`,
    )
  return Math.floor(ms / 1000) + (date && end ? 86_399 : 0)
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 }
