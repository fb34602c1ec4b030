/**
 * The contract of this room: a command gets its arguments and the world through `Io`, writes data to stdout and words
 * for people to stderr, and answers with an exit status.
 * @module
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { aborted, type Clock } from '../clock.ts'

export interface Io {
  /** Data. One line each. */
  out(text: string): void
  /** Raw data, without a line end: an answer as it streams. */
  write(text: string): void
  /** Words for people. */
  err(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Fires when the process is asked to end. */
  readonly signal: AbortSignal
  /** True where stderr is a terminal. */
  readonly terminal: boolean
  /** Width of that terminal, as it is now. */
  readonly columns?: number | undefined
  /** Its height. */
  readonly rows?: number | undefined
  stdin(): Promise<string>
  /** Lines of standard input one by one; absent where nobody can type. */
  talk?(): Talk
}

/** A conversation with whoever is at standard input. */
export interface Talk {
  /** Shows the prompt in a terminal and waits for a line; `undefined` at the end of the input. */
  ask(prompt: string): Promise<string | undefined>
  /** Ctrl-C calls the listener that came last, instead of ending the process; the result takes it away again. */
  onInterrupt(listener: () => void): () => void
  close(): void
}

export interface Command {
  /** One or two words as they are typed. */
  readonly name: string
  readonly says: string
  /** Lines of help: options and examples. */
  readonly help: readonly string[]
  /** Resolves with the exit status: 0 done, 1 failed, 2 wrongly called. */
  run(argv: readonly string[], io: Io): Promise<number>
}

/** The caller's fault. The message says the way out; no stack is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type Values = Record<string, string | boolean | (string | boolean)[] | undefined>

export interface Arguments {
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** A whole number within bounds. Throws `UsageError`. */
  number(name: string, least: number, most: number): number | undefined
  readonly rest: readonly string[]
}

/** Reads arguments strictly: what is unknown or malformed is a `UsageError` that names it. */
export function readArguments(argv: readonly string[], options: ParseArgsOptionsConfig): Arguments {
  let parsed: { values: Values; positionals: string[] }
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. To specify')[0] ?? '') : String(error))
  }
  const { values, positionals } = parsed
  return {
    text: name => (typeof values[name] === 'string' ? values[name] : undefined),
    texts: name => [values[name]].flat().filter(value => typeof value === 'string'),
    flag: name => values[name] === true,
    number(name, least, most) {
      const said = values[name]
      if (typeof said !== 'string') return undefined
      const value = /^[0-9]{1,15}$/.test(said) ? Number(said) : Number.NaN
      if (value >= least && value <= most) return value
      throw new UsageError(`--${name} ${quoted(said)}: give a whole number from ${least} to ${most}.`)
    },
    rest: positionals,
  }
}

/** What was typed, as an error may repeat it: never enough of it to be a secret that was typed in the wrong place. */
export const quoted = (said: string): string => `"${said.length > 24 ? `${said.slice(0, 24)}…` : said}"`

/** One JSON line. Money leaves as a number of msats; secrets must not be in the value. */
export const jsonLine = (value: object): string =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? Number(item) : item)).replace(
    // JSON leaves these as they are, and a terminal obeys them.
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Strangers' text for a terminal: no escape sequences, no control characters but line ends and tabs. */
export function clean(text: string): string {
  return text
    .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g, '')
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
}

/** Waits until the process is asked to end. */
export const untilStopped: (signal: AbortSignal) => Promise<void> = aborted
