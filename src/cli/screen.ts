/**
 * What a person sees on stderr: one line a phase, with a label and the time since the command began.
 * @module
 */
import { clean, type Io } from './command.ts'

export interface Screen {
  /** One line: elapsed time, a short label, words. */
  line(label: string, words: string): void
  /** A line that the next one overwrites. In a log, which cannot be overwritten, a line every ten seconds. */
  progress(label: string, words: string): void
  /** Text for standard output as it grows. While its line is open, nothing is written over it. */
  text(words: string): void
  /** Words that belong to the line above. */
  more(words: string): void
  /** Milliseconds since the screen was opened. */
  elapsed(): number
}

const labelWidth = 9
const logMs = 10_000
const margin = ' '.repeat(11 + labelWidth)

/** Breaks at spaces; a word that is longer than a line is left whole. */
function fold(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

export function openScreen(io: Io): Screen {
  const began = io.clock.now()
  const elapsed = () => io.clock.now() - began
  let open = false
  /** The last text has not ended its line. */
  let flowing = false
  let saidMs = began
  const room = Math.max(30, (io.columns ?? 0) - margin.length - 1)
  // Only a terminal has a width; a log file keeps one line a phase.
  const folded = (words: string) => {
    const text = clean(words).replace(/\s+/g, ' ')
    return io.columns === undefined ? text : fold(text, room).join(`\n${margin}`)
  }
  const head = (label: string) => `${(elapsed() / 1000).toFixed(1).padStart(6)} s  ${label.padEnd(labelWidth)} `
  const clear = () => {
    if (open) io.err('\r\u001b[2K')
    open = false
  }
  const begin = () => {
    clear()
    if (flowing && io.terminal) io.err('\n')
    flowing = false
  }
  return {
    line(label, words) {
      begin()
      saidMs = io.clock.now()
      io.err(`${head(label)}${folded(words)}\n`)
    },
    progress(label, words) {
      if (!io.terminal) {
        if (io.clock.now() - saidMs < logMs) return
        saidMs = io.clock.now()
        io.err(`${head(label)}${folded(words)}\n`)
        return
      }
      if (flowing) return
      clear()
      io.err(`${head(label)}${clean(words).replace(/\s+/g, ' ').slice(0, room)}`)
      open = true
    },
    more(words) {
      begin()
      io.err(`${margin}${folded(words)}\n`)
    },
    text(words) {
      clear()
      io.write(words)
      if (words !== '') flowing = !words.endsWith('\n')
    },
    elapsed,
  }
}

/** Money for people: `2 sats (2,000 msats)`, `free`. */
export function money(msats: bigint): string {
  if (msats === 0n) return 'free'
  const grouped = (value: bigint) => value.toString().replace(/\B(?=(\d{3})+$)/g, ',')
  if (msats % 1000n !== 0n) return `${grouped(msats)} msats`
  const sats = msats / 1000n
  return `${grouped(sats)} ${sats === 1n ? 'sat' : 'sats'} (${grouped(msats)} msats)`
}

/** How far something is: a bar and per cent where the end is known, else what was done so far. `done` and `total` in bytes. */
export function bar(done: number, total: number | undefined, width = 24): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
  if (!total) return megabytes(done)
  const part = Math.min(1, Math.max(0, done / total))
  const full = Math.round(part * width)
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${Math.floor(part * 100)} % of ${megabytes(total)}`
}

/** The first and last digits of an id or key. */
export const short = (hex: string): string => (hex.length > 20 ? `${hex.slice(0, 8)}…${hex.slice(-4)}` : hex)
