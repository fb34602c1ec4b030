/** @module `gridstr mcp`: the tools of this network for hosts of the Model Context Protocol. */
import { readFileSync } from 'node:fs'
import { aborted, seconds, timeLimit } from '../../clock.ts'
import { eventFromText, openKeys } from '../../keys.ts'
import { type Command, readArguments, UsageError } from '../command.ts'
import { openScreen } from '../screen.ts'
import { sessionHelp, sessionOptions, withSession } from '../sessions.ts'
import { verifyId } from '../verifying/verify.ts'
import { pool, relayUrls } from '../wiring.ts'

export const mcpCommand: Command = {
  name: 'mcp',
  says: 'Serve infer, embed, quotes, jobs and receipts to an MCP host over standard input and output',
  help: [
    'gridstr mcp --relay URL… [--max-sats N --budget-sats N] [--model NAME]',
    '',
    ...sessionHelp,
    '',
    'Money needs both --max-sats (one answer) and --budget-sats (this run of the server): a host asks on its own.',
    'Standard output belongs to the protocol; words for people go to standard error. No port is opened. For a host:',
    '  {"mcpServers":{"gridstr":{"command":"gridstr","args":["mcp","--relay","wss://…","--max-sats","10","--budget-sats","200"]}}}',
    'Tools: infer, embed, list_models, list_nodes, quote, job_status, cancel_job, wallet_balance, verify_receipt.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, sessionOptions)
    if (args.rest.length > 0) throw new UsageError('mcp takes options only: gridstr help mcp')
    if ((args.number('max-sats', 0, 100_000_000) ?? 0) > 0 && args.text('budget-sats') === undefined)
      throw new UsageError(
        'A host asks on its own: add --budget-sats N, the most that this run of the server may spend.',
      )
    const screen = openScreen(io)
    return withSession(args, io, screen, async session => {
      const { serveMcp } = await import('../../mcp/index.ts')
      const keys = await openKeys()
      const relays = pool(relayUrls(args), keys, io.clock)
      const gone = new AbortController()
      const server = serveMcp({
        ...{ session, version: version() },
        async verify(text, signal) {
          const { id } = eventFromText(text)
          const limit = timeLimit(io.clock, verifyMs, signal)
          try {
            return await verifyId(id, { relays, verify: keys.verify, now: seconds(io.clock), signal: limit.signal })
          } finally {
            limit.stop()
          }
        },
        onError: error => screen.line('trouble', error.message),
        onClose: () => gone.abort(),
      })
      screen.line('mcp', 'serving nine tools on standard input and output; the host ends it')
      try {
        await aborted(AbortSignal.any([gone.signal, io.signal]))
        return 0
      } finally {
        await server.close()
        await relays.close()
      }
    })
  },
}

const verifyMs = 30_000

/** Of this package. */
function version(): string {
  for (const path of ['../../../package.json', '../../../../package.json'])
    try {
      const { version: said } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
      if (typeof said === 'string') return said
    } catch {
      // In dist/ it lies one folder higher.
    }
  return '0.0.0'
}
