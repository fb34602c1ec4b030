/**
 * What a person sees on stderr: one line a phase, with a label and the time since the command began.
 * @module
 */
import { clean, type Io } from './command.ts'

export interface Screen {
  /** One line: elapsed time, a short label, words. */
  line(label: string, words: string): void
  /** A line that the next one overwrites; shown on terminals only. */
  progress(label: string, words: string): void
  /** Words that belong to the line above. */
  more(words: string): void
  /** Milliseconds since the screen was opened. */
  elapsed(): number
}

const labelWidth = 9
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
  return {
    line(label, words) {
      clear()
      io.err(`${head(label)}${folded(words)}\n`)
    },
    progress(label, words) {
      if (!io.terminal) return
      clear()
      io.err(`${head(label)}${clean(words).replace(/\s+/g, ' ').slice(0, room)}`)
      open = true
    },
    more(words) {
      clear()
      io.err(`${margin}${folded(words)}\n`)
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

/** The first and last digits of an id or key. */
export const short = (hex: string): string => (hex.length > 20 ? `${hex.slice(0, 8)}…${hex.slice(-4)}` : hex)
