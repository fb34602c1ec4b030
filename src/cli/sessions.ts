/**
 * What commands share that ask through a session: their options, the journal that they write, and the one line that says
 * why there is no session.
 * @module
 */
import { present } from '../../kinds/index.ts'
import { type Journal, JournalError, openJournal } from '../journal/index.ts'
import { memoryJournal } from '../journal/memory.ts'
import { openKeys, pubkeyFromText } from '../keys.ts'
import { type Notice, type OpenSession, openSession, SessionError, type SessionOptions } from '../session/index.ts'
import { routingHelp, routingOf, routingOptions } from './asking-routed.ts'
import { type Arguments, type Io, jsonLine, UsageError } from './command.ts'
import { findHome } from './home.ts'
import { journalOption } from './keeping.ts'
import type { Screen } from './screen.ts'
import { reason, relayOption, relayUrls, secretOf, walletOptions, walletUriOf } from './wiring.ts'

/** Options of every command that opens a session. */
export const sessionOptions = {
  ...relayOption,
  ...walletOptions,
  ...journalOption,
  ...routingOptions,
  to: { type: 'string' },
  model: { type: 'string' },
  'max-sats': { type: 'string' },
  'budget-sats': { type: 'string' },
  timeout: { type: 'string' },
  key: { type: 'string' },
} as const

/** Their help. */
export const sessionHelp: readonly string[] = [
  '  --relay URL      relay to ask on; repeat for more',
  '  --to NPUB        only this node',
  '  --model NAME     the model where a question names none',
  '  --max-sats N     pay up to this for one answer (default 0: free answers only)',
  '  --budget-sats N  pay up to this for all answers together',
  '  --wallet URI     wallet to pay from: a nostr+walletconnect:// string; also --wallet-file or GRIDSTR_WALLET',
  '                   (default: the one that "gridstr wallet connect" keeps)',
  '  --journal FILE   where jobs and payments are written before they leave (default: in the home folder)',
  '  --key FILE       ask under this Nostr key (default: a new one for each job, so that nobody can link them)',
  '  --timeout SECONDS',
  // Lists of trusted routers are read by `ask`, which knows its lasting key.
  ...routingHelp.map(line => line.replace(' (default: those of "gridstr trust", with --key)', '')),
]

/** How many clients of one home may run at once, each with a journal of its own. */
const slots = 16

/** The journal of a client at this place of sixteen; the first has no number. */
const slot = (at: number): string | undefined => (at === 0 ? undefined : at.toString(16).padStart(16, '0'))

/**
 * The journal of `--journal`; else the first one in the home folder that no other process holds, so that what a killed
 * one left there is taken up; else one in memory. Throws `UsageError`.
 */
export function clientJournal(named: string | undefined, io: Pick<Io, 'env'>, note: (says: string) => void): Journal {
  const home = findHome(io)
  if (named === undefined && !home) {
    note('there is no home folder, so nothing is kept if this process is killed: set GRIDSTR_HOME')
    return memoryJournal()
  }
  for (let at = 0; ; at++)
    try {
      return openJournal(named ?? home?.journalPath('client', slot(at)) ?? '')
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
      if (error.code !== 'locked') throw new UsageError(error.message)
      if (named !== undefined || at + 1 >= slots) throw new UsageError(inUse(error))
    }
}

/** Who holds a journal, and the way out. */
export function inUse(error: JournalError): string {
  const [who] = error.message.split(': ')
  return `The ${who}: wait until it has ended, or give this one its own with --journal FILE.`
}

/** Journals of clients: the one that is named, or all in the home folder. */
export function clientJournals(named: string | undefined, io: Pick<Io, 'env'>): readonly string[] {
  if (named !== undefined) return [named]
  return (findHome(io)?.journals() ?? []).filter(path => /[\\/]client(-[0-9a-f]{16})?\.db$/.test(path))
}

/** What the arguments say of a session; no journal yet. Throws `UsageError`. */
export async function sessionOf(args: Arguments, io: Io, screen: Screen): Promise<Omit<SessionOptions, 'journal'>> {
  const keys = await openKeys()
  const maxSats = args.number('max-sats', 0, 100_000_000)
  const budgetSats = args.number('budget-sats', 0, 1_000_000_000)
  const to = args.text('to')
  const secret = args.text('key') === undefined ? undefined : secretOf(args, keys, screen)
  const ttlSeconds = args.number('timeout', 1, 86_400)
  // Whoever asks for free answers needs no wallet, and waits for none.
  const wallet = (maxSats ?? 0) > 0 ? walletUriOf(args, io) : undefined
  const caps = findHome(io)?.caps()
  return {
    ...{ relays: relayUrls(args), keys, clock: io.clock },
    ...present({ wallet, maxSats, budgetSats, caps, ttlSeconds, secret, model: args.text('model') }),
    ...(secret ? { identity: 'own' as const } : {}),
    ...(to === undefined ? {} : { node: keyOf('to', to) }),
    ...routingOf(args),
  }
}

function keyOf(option: string, text: string): string {
  try {
    return pubkeyFromText(text)
  } catch (error) {
    // Never the text itself: it may be a secret key, pasted by mistake.
    throw new UsageError(`--${option}: ${reason(error)}`)
  }
}

/**
 * Opens a session of these arguments on a journal of the home folder, runs the body, and closes both. A session that
 * cannot be opened is one line and exit status 1.
 */
export async function withSession(
  args: Arguments,
  io: Io,
  screen: Screen,
  body: (session: OpenSession, journal: Journal) => Promise<number>,
  more: Partial<SessionOptions> = {},
): Promise<number> {
  const options = await sessionOf(args, io, screen)
  const note = (says: string) => screen.line('note', says)
  const onNotice = ({ code, says }: Notice) => screen.line(code === 'refund' ? code : 'note', says)
  const journal = clientJournal(args.text('journal'), io, note)
  try {
    screen.progress('session', 'looking for relays and the wallet …')
    const session = await openSession({ ...options, journal, onNotice, ...more })
    try {
      return await body(session, journal)
    } finally {
      await session.close()
    }
  } catch (error) {
    if (!(error instanceof SessionError)) throw error
    return refused(io, screen, args.flag('json'), error.code, error.message)
  } finally {
    journal.close()
  }
}

/** Says why nothing was done: a line for people, and one for programs where they listen. Exit status 1. */
export function refused(io: Io, screen: Screen, json: boolean, code: string, says: string): number {
  if (json) io.out(jsonLine({ ok: false, code, error: says }))
  screen.line('failed', says)
  return 1
}
