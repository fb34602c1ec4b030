/** @module `gridstr jobs`: what this client asked, runs and got. */
import { present } from '../../../kinds/index.ts'
import { openJournal } from '../../journal/index.ts'
import { openKeys } from '../../keys.ts'
import { type KnownJob, openJobs } from '../../session/index.ts'
import { type Command, clean, type Io, jsonLine, readArguments } from '../command.ts'
import { journalOption } from '../keeping.ts'
import { openScreen, short } from '../screen.ts'
import { clientJournals } from '../sessions.ts'
import { pool, relayOption, relayUrls } from '../wiring.ts'

export const jobsCommand: Command = {
  name: 'jobs',
  says: 'List your jobs: running and finished, from your journal and the relays',
  help: [
    'gridstr jobs [--relay URL…] [--journal FILE] [--limit N] [--json]',
    '',
    '  --relay URL      ask this relay for answers to jobs that have not ended; repeat for more',
    '  --journal FILE   the journal of a client (default: all in the home folder; one in use is read beside its process)',
    '  --limit N        newest so many (default 20)',
    '  --json           one JSON line a job',
    '',
    'Under "gridstr job ID --wait" a job that a killed process left is finished.',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...relayOption,
      ...journalOption,
      limit: { type: 'string' },
      json: { type: 'boolean' },
    })
    const limit = args.number('limit', 1, 10_000) ?? 20
    const screen = openScreen(io)
    const jobs = await readJobs(
      clientJournals(args.text('journal'), io),
      args.texts('relay').length > 0 ? relayUrls(args) : [],
      io,
    )
    const newest = jobs.sort((a, b) => b.at - a.at).slice(0, limit)
    for (const job of newest) io.out(args.flag('json') ? jsonLine(job) : lineOf(job))
    if (newest.length === 0) screen.line('jobs', 'none are written down')
    else if (newest.length < jobs.length) screen.line('jobs', `${jobs.length - newest.length} more: --limit`)
    return 0
  },
}

/** Jobs of all these journals; those that have not ended are looked for on the relays. */
export async function readJobs(paths: readonly string[], urls: readonly string[], io: Io): Promise<KnownJob[]> {
  const keys = await openKeys()
  const relays = urls.length > 0 ? pool(urls, keys, io.clock) : undefined
  const jobs: KnownJob[] = []
  try {
    for (const path of paths) {
      const journal = openJournal(path, { readOnly: true })
      try {
        const known = openJobs({ journal, keys, clock: io.clock, ...present({ relays }) })
        for (const job of known.list())
          jobs.push((relays && !ended.has(job.state) ? await known.find(job.request, io.signal) : job) ?? job)
      } finally {
        journal.close()
      }
    }
  } finally {
    await relays?.close()
  }
  return jobs
}

/** States that no job leaves. */
const ended: ReadonlySet<string> = new Set(['delivered', 'refused', 'expired', 'failed', 'cancelled'])

/** One job on one line: id, state, money, time, and the beginning of what came. */
function lineOf({ request, state, msats, at, text, says = '' }: KnownJob): string {
  const time = new Date(at * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const words = clean(text ?? says).replace(/\s+/g, ' ')
  const begin = words.length > 60 ? `${words.slice(0, 60)}…` : words
  return `${short(request)}  ${state.padEnd(16)}  ${String(msats).padStart(9)} msats  ${time}  ${begin}`.trimEnd()
}
