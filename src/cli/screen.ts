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

export function openScreen(io: Io): Screen {
  const began = io.clock.now()
  const elapsed = () => io.clock.now() - began
  let open = false
  const shown = (label: string, words: string) =>
    `${(elapsed() / 1000).toFixed(1).padStart(6)} s  ${label.padEnd(labelWidth)} ${clean(words).replace(/\n/g, ' ')}`
  const clear = () => {
    if (open) io.err('\r\u001b[2K')
    open = false
  }
  return {
    line(label, words) {
      clear()
      io.err(`${shown(label, words)}\n`)
    },
    progress(label, words) {
      if (!io.terminal) return
      clear()
      io.err(shown(label, words))
      open = true
    },
    more(words) {
      clear()
      io.err(`${' '.repeat(11 + labelWidth)} ${clean(words)}\n`)
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
