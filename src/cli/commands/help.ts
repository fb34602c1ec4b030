/** @module `gridstr help`: what there is and how to begin. */
import { type Command, quoted, UsageError } from '../command.ts'

export function helpCommand(others: readonly Command[]): Command {
  const help: Command = {
    name: 'help',
    says: 'This page, or the options of a command: gridstr help ask',
    help: ['gridstr help [COMMAND]'],
    async run(argv, io) {
      const named = argv.find(word => !word.startsWith('-'))
      if (named !== undefined) {
        const command = commands.find(({ name }) => name === named)
        if (!command) throw new UsageError(unknown(named, commands))
        for (const line of command.help) io.out(line)
        return 0
      }
      io.out('gridstr: a market for AI work on Nostr relays, paid over Lightning, peer to peer.')
      io.out('')
      for (const command of commands) io.out(`  gridstr ${command.name.padEnd(8)} ${command.says}`)
      io.out('')
      io.out('Begin with "gridstr demo": one paid job on this machine, no keys, no sats, no internet.')
      return 0
    },
  }
  const commands = [...others, help]
  return help
}

/** Says which commands there are. */
export const unknown = (said: string, commands: readonly Command[]): string =>
  `There is no command ${quoted(said)}. There are: ${commands.map(({ name }) => name).join(', ')}.`
