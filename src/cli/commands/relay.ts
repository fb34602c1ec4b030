/** @module `gridstr relay`: the embedded relay as a process of its own. */
import { startRelay } from '../../../relays/embedded/relay.ts'
import { openKeys } from '../../keys.ts'
import { type Command, jsonLine, readArguments, UsageError, untilStopped } from '../command.ts'
import { openScreen } from '../screen.ts'
import { reason } from '../wiring.ts'

export const relayCommand: Command = {
  name: 'relay',
  says: 'Run a Nostr relay of your own',
  help: [
    'gridstr relay [--port N] [--host ADDRESS] [--db FILE] [--json]',
    '',
    '  --port N        port to listen on (default 7447; 0 takes any free one)',
    '  --host ADDRESS  address to listen on (default 127.0.0.1: this machine only)',
    '  --db FILE       keep events in this file (default: in memory, gone at the end)',
    '  --json          print {"ready":true,"url":"ws://…"} when it listens',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      port: { type: 'string' },
      host: { type: 'string' },
      db: { type: 'string' },
      json: { type: 'boolean' },
    })
    const port = args.number('port', 0, 65_535) ?? 7447
    const db = args.text('db')
    const host = args.text('host')
    const screen = openScreen(io)
    const keys = await openKeys()
    const relay = await startRelay({
      port,
      clock: io.clock,
      verify: event => keys.verify(event),
      onError: says => screen.line('trouble', says),
      ...(host === undefined ? {} : { host }),
      ...(db === undefined ? {} : { db }),
    }).catch(error => {
      throw new UsageError(`The relay cannot start: ${reason(error)}`)
    })
    if (args.flag('json')) io.out(jsonLine({ ready: true, url: relay.url }))
    screen.line(
      'relay',
      `${relay.url} · ${db ? `events kept in ${db}` : 'in memory'} · signatures by ${keys.engine} · Ctrl-C ends it`,
    )
    await untilStopped(io.signal)
    const { accepted, refused } = relay.stats()
    await relay.close()
    screen.line('relay', `ended after ${accepted} events taken and ${refused} refused`)
    return 0
  },
}
