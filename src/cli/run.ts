/**
 * One call of `gridstr`: finds the command, runs it, and turns errors into one line and an exit status.
 * @module
 */
import { clean, type Io, UsageError } from './command.ts'
import { unknown } from './commands/help.ts'
import { commands } from './index.ts'

/** Exit status: 0 done, 1 failed, 2 wrongly called. Bugs are thrown. */
export async function runCommand(argv: readonly string[], io: Io): Promise<number> {
  const [first = 'help', ...rest] = argv
  // What stands behind two dashes is for somebody else.
  const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  const wantsHelp = first === '--help' || first === '-h' || own.includes('--help') || own.includes('-h')
  const name = first.startsWith('-') ? 'help' : first
  const command = commands.find(one => one.name === (wantsHelp ? 'help' : name))
  try {
    if (!command) throw new UsageError(unknown(name, commands))
    return await command.run(wantsHelp && !first.startsWith('-') ? [name] : wantsHelp ? [] : rest, io)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    io.err(`gridstr: ${clean(error.message)}\n`)
    if (command && command.name !== 'help') io.err(`Options: gridstr help ${command.name}\n`)
    return 2
  }
}
