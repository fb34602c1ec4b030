/** @module `gridstr run`: a Node program whose calls to OpenAI's interface are answered by the market. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Arguments, type Command, clean, type Io, readArguments, UsageError } from '../command.ts'
import { marks, openaiBase, ownBase } from '../preload/marks.ts'
import { openScreen, type Screen } from '../screen.ts'
import { sessionHelp, sessionOf, sessionOptions } from '../sessions.ts'
import { walletUriOf } from '../wiring.ts'

export const runProgramCommand: Command = {
  name: 'run',
  says: 'Run a Node program whose OpenAI calls go to the market',
  help: [
    'gridstr run --relay URL… [--max-sats N] [--budget-sats N] [--capture-openai] -- node app.mjs …',
    '',
    '  --capture-openai also answer calls of https://api.openai.com/v1: nothing is sent there',
    '',
    ...sessionHelp,
    '',
    'The program needs no change: its `fetch` is replaced before it begins, OPENAI_BASE_URL is set where it is not',
    `(to ${ownBase}), and so is OPENAI_API_KEY, which never leaves the process. Calls of the address in`,
    'OPENAI_BASE_URL are answered, all others go their way. Nothing listens on a port. Programs in other languages,',
    'and libraries that do not use the global `fetch`, cannot be reached. Each process has the budget of its own.',
  ],
  async run(argv, io) {
    const at = argv.indexOf('--')
    const [program, ...rest] = at < 0 ? [] : argv.slice(at + 1)
    if (program === undefined)
      throw new UsageError('Name the program after two dashes: gridstr run --relay … -- node app.mjs')
    const args = readArguments(argv.slice(0, at), { ...sessionOptions, 'capture-openai': { type: 'boolean' } })
    if (args.rest.length > 0) throw new UsageError('Options come first, then two dashes, then the program.')
    const screen = openScreen(io)
    // What is wrong with the options is said here and not by the program's first call.
    await sessionOf(args, io, screen)
    const wallet = (args.number('max-sats', 0, 100_000_000) ?? 0) > 0 ? walletUriOf(args, io) : undefined
    if ((args.number('max-sats', 0, 100_000_000) ?? 0) > 0 && wallet === undefined)
      throw new UsageError(
        'A price was allowed but no wallet given: add --wallet nostr+walletconnect://…, or leave --max-sats away.',
      )
    const folder = mkdtempSync(join(tmpdir(), 'gridstr-run-'))
    try {
      const reached = join(folder, 'reached')
      const env = environmentOf(args, io, { wallet, reached })
      return await follow(program, rest, env, { io, screen, reached })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** The environment of the program. The wallet goes by it alone: an argument could be read by every user of the machine. */
function environmentOf(
  args: Arguments,
  { env }: Io,
  own: { readonly wallet: string | undefined; readonly reached: string },
) {
  const base = env['OPENAI_BASE_URL'] || ownBase
  // The same module, as source or as it was built.
  const ext = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const preload = new URL(`../preload/fetch.${ext}`, import.meta.url).href
  return {
    ...env,
    NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} --import=${preload}`.trim(),
    OPENAI_BASE_URL: base,
    OPENAI_API_KEY: env['OPENAI_API_KEY'] || 'gridstr',
    [marks.settings]: JSON.stringify(typed(args)),
    [marks.bases]: [base, ...(args.flag('capture-openai') ? [openaiBase] : [])].join(' '),
    [marks.reached]: own.reached,
    ...(own.wallet === undefined ? {} : { GRIDSTR_WALLET: own.wallet }),
  }
}

/** The options as they were typed, without the wallet. */
function typed(args: Arguments): string[] {
  const { wallet: _, 'wallet-file': __, ...options } = sessionOptions
  return Object.entries(options).flatMap(([name, { type }]) => {
    if (type === 'boolean') return args.flag(name) ? [`--${name}`] : []
    const one = args.text(name)
    return (one === undefined ? args.texts(name) : [one]).map(value => `--${name}=${value}`)
  })
}

interface Watching {
  readonly io: Io
  readonly screen: Screen
  readonly reached: string
}

/** Node programs begin within this. */
const reachMs = 5_000

/** Runs the program on our terminal; its exit status is ours, and it gets the signals that we get. */
function follow(
  program: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  { io, screen, reached }: Watching,
): Promise<number> {
  return new Promise(resolve => {
    const child = spawn(program, argv, { stdio: 'inherit', env })
    let said = false
    const missed = () => {
      if (said || existsSync(reached)) return
      said = true
      screen.line(
        'note',
        `${clean(program)} has started no Node program: only those can be reached, and its calls went their own way`,
      )
    }
    const stop = io.clock.after(reachMs, missed)
    const pass = () => {
      const interrupted = String(io.signal.reason).includes('SIGINT')
      // A terminal has told everybody on it already.
      if (!(interrupted && io.terminal)) child.kill(interrupted ? 'SIGINT' : 'SIGTERM')
    }
    if (io.signal.aborted) pass()
    else io.signal.addEventListener('abort', pass, { once: true })
    const end = (code: number) => {
      stop()
      io.signal.removeEventListener('abort', pass)
      resolve(code)
    }
    child.once('error', error => {
      screen.line('failed', `${clean(program)} cannot be started: ${clean(error.message)}`)
      end(127)
    })
    child.once('exit', (code, signal) => {
      missed()
      end(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
