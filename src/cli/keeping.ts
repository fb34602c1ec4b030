/**
 * The journal of a command: named with `--journal`, else in the home folder, else in memory and said so.
 * @module
 */
import { type Journal, JournalError, memoryJournal, openJournal } from '../journal/index.ts'
import { type Arguments, type Io, UsageError } from './command.ts'
import { findHome, type Role } from './home.ts'
import type { Screen } from './screen.ts'

export const journalOption = { journal: { type: 'string' } } as const

/** Opens it for writing. Throws `UsageError` with the way out. */
export function journalOf(args: Arguments, io: Io, screen: Screen, role: Role, pubkey?: string): Journal {
  const file = args.text('journal') ?? findHome(io)?.journalPath(role, pubkey)
  if (file === undefined) {
    screen.line('note', 'there is no home folder, so nothing is kept if this process is killed: set GRIDSTR_HOME')
    return memoryJournal()
  }
  try {
    return openJournal(file)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    if (error.code !== 'locked') throw new UsageError(error.message)
    const [who] = error.message.split(': ')
    throw new UsageError(`The ${who}: wait until it has ended, or give this one its own with --journal FILE.`)
  }
}
