/**
 * The market as text: columns that fit a width, strangers' words made harmless, and no more colour than was asked for.
 * @module
 */
import type { Benchmark } from '../../kinds/index.ts'
import { npub } from '../keys.ts'
import type { AskedPrice, Entry } from '../ledger/index.ts'
import { clean } from './command.ts'
import { type Listed, priceOf, type Sheet } from './market-book.ts'

export interface Style {
  /** Cells of a line. */
  readonly columns: number
  /** Lines on the screen; absent: as many as there are. */
  readonly rows?: number
  readonly colour: boolean
}

/** Most lines of nodes that people are shown; scripts get all. */
const MOST_SHOWN = 500
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
const narrow = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const cellsOf = (char: string): number => (char < '\u0300' ? 1 : narrow.test(char) ? 0 : wide.test(char) ? 2 : 1)

/** How many cells of a terminal a line takes, as far as that can be known. */
export function cellsIn(line: string): number {
  let cells = 0
  for (const char of line) cells += cellsOf(char)
  return cells
}

/** A text of strangers in one line, cut to so many cells and filled up with blanks. */
export function cell(text: string, cells: number, right = false): string {
  // What follows a cut-off start cannot be seen, so it is not looked at.
  const line = clean(text.slice(0, 512)).replace(/\s+/g, ' ').trim()
  let shown = ''
  let used = 0
  for (const char of line) {
    const more = cellsOf(char)
    if (used + more > cells) {
      while (used > cells - 1 && shown !== '') {
        const last = [...shown].at(-1) ?? ''
        shown = shown.slice(0, -last.length)
        used -= cellsOf(last)
      }
      shown += '…'
      used++
      break
    }
    shown += char
    used += more
  }
  const blanks = ' '.repeat(Math.max(0, cells - used))
  return right ? blanks + shown : shown + blanks
}

/** How long ago, in the largest unit that it fills. */
export function ago(seconds: number): string {
  if (seconds < 0) return 'now'
  for (const [size, unit] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const)
    if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`
  return `${Math.floor(seconds)} s`
}

const units = {
  job: '/job',
  '1k-tokens': '/1k tok',
  '1k-in': '/1k in',
  '1k-out': '/1k out',
  second: '/s',
  MB: '/MB',
} as const
const grouped = (value: bigint): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
const amount = (msats: bigint): string =>
  msats === 0n ? 'free' : msats % 1_000n === 0n ? `${grouped(msats / 1_000n)} sat` : `${grouped(msats)} msat`
/** Longest text of the column of prices. */
const priceCells = 14

function posted({ msats, unit, metered }: AskedPrice): string {
  if (msats === 0n) return 'free'
  if (!metered) return `${amount(msats)}${units[unit]}`
  // Of a price by the token both sides where there is room, else what a usual job comes to.
  const { flatMsats, promptMsatsPer1k, answerMsatsPer1k } = metered
  if (flatMsats === 0n && promptMsatsPer1k === answerMsatsPer1k) return `${amount(promptMsatsPer1k)}/1k tok`
  const sides = [promptMsatsPer1k, answerMsatsPer1k]
  const inSats = sides.every(side => side % 1_000n === 0n)
  const said = `${sides.map(side => (inSats ? side / 1_000n : side)).join('+')} ${inSats ? 'sat' : 'msat'}/1k`
  return flatMsats === 0n && said.length <= priceCells ? said : `~${amount(msats)}/job`
}

const price = (entry: Entry, kind: number): string => {
  const found = priceOf(entry, kind)
  return found === undefined ? 'ask' : posted(found)
}

/** What others measured, else what the node claims: the median of the times to the first token. */
export function speed({ measured, claims }: Entry): { at: Benchmark; claimed: boolean } | undefined {
  const claimed = measured.length === 0
  const sorted = [...(claimed ? claims : measured)].sort((a, b) => a.firstMs - b.firstMs)
  const at = sorted[(sorted.length - 1) >> 1]
  return at && { at, claimed }
}

const fast = (entry: Entry, of: (at: Benchmark) => string): string => {
  const found = speed(entry)
  return found === undefined ? '' : `${of(found.at)}${found.claimed ? '?' : ''}`
}

interface Column {
  readonly head: string
  readonly cells: number
  /** Narrow screens do without the highest. */
  readonly rank: number
  readonly right?: boolean
  text(listed: Listed, now: number, kind: number): string
}

const seats = ({ state }: Entry): string => {
  if (!state) return ''
  const { total, busy, queued } = state.slots
  return `${busy}/${total}${queued > 0 ? ` +${queued}` : ''}`
}

const columns: readonly Column[] = [
  { head: 'STATUS', cells: 7, rank: 0, text: ({ entry }) => entry.status },
  { head: 'NODE', cells: 14, rank: 0, text: ({ entry }) => entry.announcement.name || '(no name)' },
  { head: 'KEY', cells: 14, rank: 5, text: ({ entry }) => `${npub(entry.node).slice(0, 13)}…` },
  {
    ...{ head: 'MODELS', cells: 12, rank: 3 },
    text: ({ entry }) =>
      entry.announcement.models
        .slice(0, 8)
        .map(({ name }) => name)
        .join(', '),
  },
  { head: 'PRICE', cells: priceCells, rank: 1, right: true, text: ({ entry }, _, kind) => price(entry, kind) },
  {
    head: 'FIRST',
    cells: 8,
    rank: 4,
    right: true,
    text: ({ entry }) => fast(entry, at => `${Math.round(at.firstMs)} ms`),
  },
  {
    ...{ head: 'TOK/S', cells: 7, rank: 6, right: true },
    text: ({ entry }) => fast(entry, at => at.tokensPerSecond.toFixed(at.tokensPerSecond < 10 ? 1 : 0)),
  },
  {
    head: 'SCORE',
    cells: 5,
    rank: 1,
    right: true,
    text: ({ score }) => (score === undefined ? '–' : String(Math.round(score))),
  },
  { head: 'BUSY', cells: 7, rank: 7, right: true, text: ({ entry }) => seats(entry) },
  { head: 'SEEN', cells: 6, rank: 2, right: true, text: ({ entry }, now) => ago(now - entry.lastSeen) },
]

const gap = '  '
const widthOf = (chosen: readonly Column[]): number =>
  chosen.reduce((sum, { cells }) => sum + cells + gap.length, -gap.length)

/** The columns that fit, with what is left over given to names and models. */
function fitting(room: number): Column[] {
  let chosen = [...columns]
  for (let rank = 7; rank > 0 && widthOf(chosen) > room; rank--) chosen = chosen.filter(column => column.rank !== rank)
  let left = room - widthOf(chosen)
  if (left < 0)
    return chosen.map(column =>
      column.head === 'NODE' ? { ...column, cells: Math.max(1, column.cells + left) } : column,
    )
  return chosen.map(column => {
    if (column.head !== 'NODE' && column.head !== 'MODELS') return column
    const more = Math.min(column.head === 'NODE' ? 8 : 24, left)
    left -= more
    return { ...column, cells: column.cells + more }
  })
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function sheetLines({ router, sheet }: Sheet, kind: number, room: number): string[] {
  const rows = sheet.rows.filter(row => row.kind === kind).slice(0, 8)
  const fee = sheet.feeMsats === 0n ? 'no fee' : `fee ${amount(sheet.feeMsats)} a route`
  const head = `router ${npub(router).slice(0, 13)}… · policy ${sheet.policy} · ${fee} · ${counted(sheet.rows.length, 'price')}`
  const said = rows.map(row =>
    [
      `${row.model || 'any model'}: ${amount(row.lowMsats)} … ${amount(row.medianMsats)} … ${posted({ msats: row.highMsats, unit: row.unit })}`,
      ...(row.settledMsats === undefined ? [] : [`settled at ${amount(row.settledMsats)}`]),
      counted(row.nodes, 'node'),
      ...(row.surge === 1_000 ? [] : [`surge ×${(row.surge / 1_000).toFixed(2)}`]),
    ].join(' · '),
  )
  return [cell(head, room).trimEnd(), ...said.map(line => `  ${cell(line, room - 2).trimEnd()}`)]
}

const paint = (text: string, code: number, colour: boolean): string =>
  colour ? `\u001b[${code}m${text}\u001b[0m` : text

/** Everything as lines, none of them wider than the screen. */
export function marketLines(
  listed: readonly Listed[],
  sheets: readonly Sheet[],
  { kind, now }: { readonly kind: number; readonly now: number },
  { columns: room, rows, colour }: Style,
): string[] {
  const chosen = fitting(room)
  const below = sheets.flatMap(sheet => sheetLines(sheet, kind, room))
  // A third of a screen at most is for sheets.
  const under = rows === undefined ? below : below.slice(0, Math.max(0, Math.floor((rows - 4) / 3)))
  const most = rows === undefined ? MOST_SHOWN : Math.max(1, rows - 4 - under.length)
  const shown = listed.slice(0, most)
  const alive = listed.filter(({ entry }) => entry.status === 'alive').length
  const rest = listed.length - shown.length
  const claimed = shown.some(({ entry }) => speed(entry)?.claimed)
  const title = `${counted(listed.length, 'service')} of kind ${kind}, ${alive} alive · ${counted(sheets.length, 'router')}${rest > 0 ? ` · ${rest} more below` : ''}${claimed ? ' · ?: its own claim' : ''}`
  const head = chosen.map(column => cell(column.head, column.cells, column.right)).join(gap)
  return [
    cell(title, room).trimEnd(),
    paint(head.trimEnd(), 2, colour),
    ...shown.map(one => {
      const line = chosen
        .map(column => cell(column.text(one, now, kind), column.cells, column.right))
        .join(gap)
        .trimEnd()
      return one.entry.status === 'alive'
        ? line.replace(/^alive/, word => paint(word, 32, colour))
        : paint(line, 2, colour)
    }),
    ...(under.length > 0 ? ['', ...under] : []),
  ]
}
