/** @module `gridstr job`: one job of this client, looked at, waited for or withdrawn. */
import { present } from '../../../kinds/index.ts'
import { type Journal, JournalError, openJournal } from '../../journal/index.ts'
import { type Keys, openKeys } from '../../keys.ts'
import { openJobs, openSession, SessionError } from '../../session/index.ts'
import { type Arguments, type Command, clean, type Io, jsonLine, readArguments, UsageError } from '../command.ts'
import { journalOption } from '../keeping.ts'
import { money, openScreen, type Screen, short } from '../screen.ts'
import { clientJournals, inUse, refused } from '../sessions.ts'
import { pool, relayOption, relayUrls, walletOptions, walletUriOf } from '../wiring.ts'

export const jobCommand: Command = {
  name: 'job',
  says: 'Look at one of your jobs, finish it, or withdraw it',
  help: [
    'gridstr job ID [--relay URL…] [--wait] [--cancel] [--json]',
    '',
    '  ID               of the job, or its first eight digits or more: see "gridstr jobs"',
    '  --relay URL      ask this relay what became of it; repeat for more; needed by --wait and --cancel',
    '  --wait           finish a job that a killed process left: pay what was ordered, wait for the answer, show it',
    '  --cancel         withdraw it, and account for its money',
    '  --wallet URI     wallet that its payment came from; also --wallet-file or GRIDSTR_WALLET',
    '                   (default: the one that "gridstr wallet connect" keeps)',
    '  --journal FILE   the journal of a client (default: all in the home folder)',
    '  --json           one JSON line',
  ],
  async run(argv, io) {
    const args = readArguments(argv, {
      ...{ ...relayOption, ...walletOptions, ...journalOption },
      ...{ wait: { type: 'boolean' }, cancel: { type: 'boolean' }, json: { type: 'boolean' } },
    })
    const [id = ''] = args.rest
    if (args.rest.length !== 1 || !/^[0-9a-f]{8,64}$/.test(id))
      throw new UsageError(
        'Name one job: its id, or the first eight hex digits of it or more. "gridstr jobs" lists them.',
      )
    const screen = openScreen(io)
    const acts = args.flag('wait') || args.flag('cancel')
    const urls = acts || args.texts('relay').length > 0 ? relayUrls(args) : []
    const found = place(id, clientJournals(args.text('journal'), io), await openKeys(), io)
    if (!found)
      return refused(
        io,
        screen,
        args.flag('json'),
        'no-job',
        'No journal of yours knows this job: "gridstr jobs" lists them.',
      )
    return acts ? finish(found, urls, args, io, screen) : look(found, urls, args, io, screen)
  },
}

interface Place {
  readonly path: string
  readonly request: string
}

/** Which journal has it. Throws `UsageError` where the digits fit several. */
function place(id: string, paths: readonly string[], keys: Keys, { clock }: Io): Place | undefined {
  const found = new Map<string, Place>()
  for (const path of paths) {
    const journal = openJournal(path, { readOnly: true })
    try {
      const whole =
        id.length === 64 && journal.jobs.find('client', id)
          ? [{ request: id }]
          : openJobs({ journal, keys, clock }).list()
      for (const { request } of whole) if (request.startsWith(id)) found.set(request, { path, request })
    } finally {
      journal.close()
    }
  }
  if (found.size > 1) throw new UsageError(`${found.size} jobs begin so: give more digits of the id.`)
  return [...found.values()][0]
}

/** Shows it as it stands; nothing is written and nothing paid. */
async function look(
  { path, request }: Place,
  urls: readonly string[],
  args: Arguments,
  io: Io,
  screen: Screen,
): Promise<number> {
  const keys = await openKeys()
  const journal = openJournal(path, { readOnly: true })
  const relays = urls.length > 0 ? pool(urls, keys, io.clock) : undefined
  try {
    const job = await openJobs({ journal, keys, clock: io.clock, ...present({ relays }) }).find(request, io.signal)
    if (!job) return refused(io, screen, args.flag('json'), 'no-job', 'This job cannot be read.')
    if (args.flag('json')) io.out(jsonLine(job))
    else {
      if (job.text !== undefined) io.out(clean(job.text))
      screen.line(
        'job',
        `${short(request)} · ${job.state} · ${money(job.msats)} paid${job.says ? ` · ${clean(job.says)}` : ''}`,
      )
    }
    return 0
  } finally {
    await relays?.close()
    journal.close()
  }
}

/** Takes it up where it was left, after withdrawing it where that was asked for. */
async function finish(
  { path, request }: Place,
  urls: readonly string[],
  args: Arguments,
  io: Io,
  screen: Screen,
): Promise<number> {
  const json = args.flag('json')
  const journal = writable(path)
  if (typeof journal === 'string') return refused(io, screen, json, 'locked', journal)
  const keys = await openKeys()
  const relays = pool(urls, keys, io.clock)
  try {
    if (args.flag('cancel') && !(await openJobs({ journal, relays, keys, clock: io.clock }).withdraw(request)))
      screen.line('note', 'it has ended already: there is nothing to withdraw')
    const wallet = walletUriOf(args, io)
    const session = await openSession({
      relays,
      journal,
      keys,
      clock: io.clock,
      ...(wallet === undefined ? {} : { wallet }),
    })
    try {
      const asking = session.earlier(request)
      screen.progress('job', 'waiting for its end …')
      const end = await Promise.race([asking?.outcome, stopped(io)])
      if (end === 'stopped') return refused(io, screen, json, 'stopped', 'It has not ended: run this again to go on.')
      const job = await session.job(request, io.signal)
      const { state = '', msats = 0n, text, says = '' } = job ?? {}
      const ok = args.flag('wait') ? state === 'delivered' : state === 'cancelled'
      if (json) io.out(jsonLine({ ok, ...job, ...(ok ? {} : { code: end && !end.ok ? end.code : state }) }))
      else if (text !== undefined) io.out(clean(text))
      screen.line(
        ok ? 'done' : 'failed',
        `job ${short(request)} · ${state} · ${money(msats)} paid${says === '' ? '' : ` · ${clean(says)}`}`,
      )
      return ok ? 0 : 1
    } finally {
      await session.close()
    }
  } catch (error) {
    if (!(error instanceof SessionError)) throw error
    return refused(io, screen, json, error.code, error.message)
  } finally {
    await relays.close()
    journal.close()
  }
}

/** The journal, or why nobody may write it now. */
function writable(path: string): Journal | string {
  try {
    return openJournal(path)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    if (error.code !== 'locked') throw new UsageError(error.message)
    return `${inUse(error)} The job is in its hands; without --wait or --cancel you see how it stands.`
  }
}

const stopped = ({ signal }: Io): Promise<'stopped'> =>
  new Promise(resolve => {
    if (signal.aborted) resolve('stopped')
    else signal.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
