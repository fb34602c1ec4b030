/** @module `gridstr chat`: a conversation in the terminal. */
import { present } from '../../../kinds/index.ts'
import { npub } from '../../keys.ts'
import { chat } from '../chatting.ts'
import { type Command, readArguments, UsageError } from '../command.ts'
import { openScreen } from '../screen.ts'
import { sessionHelp, sessionOptions, withSession } from '../sessions.ts'

export const chatCommand: Command = {
  name: 'chat',
  says: 'Talk with a model: turn by turn, with what each answer cost and who could read it',
  help: [
    'gridstr chat --relay URL… [--model NAME] [--max-sats N] [--budget-sats N] [--system TEXT] [--json]',
    '',
    ...sessionHelp,
    '  --system TEXT    how the model shall behave',
    '  --max-tokens N   longest answer, in tokens',
    '  --temperature T  0 (the likeliest words) to 2',
    '  --json           one JSON line for each moment; questions are read line by line from standard input',
    '',
    'Answers go to standard output, everything else to standard error. Ctrl-C during an answer withdraws the job: the node',
    'stops and nothing more is paid. /help in the conversation lists what else can be typed.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...sessionOptions,
      system: { type: 'string' },
      'max-tokens': { type: 'string' },
      temperature: { type: 'string' },
      json: { type: 'boolean' },
    })
    if (args.rest.length > 0)
      throw new UsageError('chat takes no question on its command line: start it and type, or use "gridstr ask".')
    const temperature = args.text('temperature')
    const degrees = temperature === undefined ? undefined : Number(temperature)
    if (degrees !== undefined && !(degrees >= 0 && degrees <= 2))
      throw new UsageError('--temperature: give a number from 0 to 2.')
    const maxTokens = args.number('max-tokens', 1, 1_000_000)
    const system = args.text('system')
    const { talk: open } = io
    if (!open) throw new UsageError('There is nobody to talk with here: standard input cannot be read line by line.')
    const screen = openScreen(io)
    return withSession(args, io, screen, async session => {
      const alive = (await session.nodes(io.signal)).filter(one => one.alive)
      const [first] = alive
      const names = [...new Set(alive.flatMap(({ announcement }) => announcement.models.map(({ name }) => name)))]
      const who =
        alive.length === 1 && first ? `${first.announcement.name} (${npub(first.pubkey)})` : `${alive.length} nodes`
      screen.line(
        'market',
        first ? `${who} · ${names.slice(0, 8).join(', ')}` : 'nobody announces itself on these relays yet',
      )
      screen.more('Type and press Enter. Ctrl-C withdraws an answer, Ctrl-D leaves, /help lists the rest.')
      const talk = open()
      try {
        return await chat({
          ...{ session, talk, io, screen, json: args.flag('json') },
          question: present({ maxTokens, temperature: degrees }),
          ...present({ system }),
        })
      } finally {
        talk.close()
      }
    })
  },
}
