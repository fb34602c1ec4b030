/** @module `gridstr batch`: OpenAI's batch files asked of the market. */
import { pause } from '../../clock.ts'
import { askBatch, type BatchEnd } from '../batch/asking.ts'
import { readBatch } from '../batch/lines.ts'
import { openResults } from '../batch/results.ts'
import { type Command, jsonLine, readArguments, UsageError } from '../command.ts'
import { money, openScreen, type Screen } from '../screen.ts'
import { sessionHelp, sessionOptions, withSession } from '../sessions.ts'

export const batchCommand: Command = {
  name: 'batch',
  says: 'Ask a file of questions, in the format of OpenAI batches',
  help: [
    'gridstr batch FILE.jsonl --relay URL… [--out RESULTS.jsonl] [--max-sats-each N] [--budget-sats N] [--concurrency N]',
    '',
    '  FILE.jsonl       lines of {"custom_id","method":"POST","url":"/v1/chat/completions","body"}; also completions,',
    '                   embeddings, responses, rerank and classify',
    '  --out FILE       results are added to it as they come (default: FILE.results.jsonl)',
    '  --max-sats-each N   pay up to this for one line (default 0: free answers only)',
    '  --budget-sats N  pay up to this for the whole file, all runs together',
    '  --concurrency N  lines that are asked at the same time (default 4)',
    '  --json           one JSON line at the end',
    '',
    'Run it again to go on: what has its result is not asked again, and what is under way is not paid again.',
    'Ctrl-C leaves it so. Lines that failed for a reason that may pass are asked again by the next run.',
    '',
    ...sessionHelp.filter(line => !/--(max|budget)-sats/.test(line)),
  ],
  async run(argv, io) {
    const { 'max-sats': _, ...options } = sessionOptions
    const args = readArguments(argv, {
      ...options,
      ...{ out: { type: 'string' }, concurrency: { type: 'string' }, json: { type: 'boolean' } },
      'max-sats-each': { type: 'string' },
    })
    const [path] = args.rest
    if (path === undefined || args.rest.length > 1) throw new UsageError('Name one file of JSON lines.')
    const maxSats = args.number('max-sats-each', 0, 100_000_000) ?? 0
    const budgetSats = args.number('budget-sats', 0, 1_000_000_000)
    const concurrency = args.number('concurrency', 1, 256) ?? 4
    const screen = openScreen(io)
    const { lines, wrong } = readBatch(path)
    for (const { line, says } of wrong) screen.line('line', `${line}: ${says}`)
    if (wrong.length > 0) throw new UsageError(`${path}: ${wrong.length} lines are wrong; nothing was asked.`)
    const results = openResults(args.text('out') ?? `${path.replace(/\.jsonl$/, '')}.results.jsonl`)
    try {
      const due = lines.filter(({ id }) => !results.done.has(id))
      const before = results.msats
      const left = budgetSats === undefined ? undefined : BigInt(budgetSats) * 1000n - before
      if (results.done.size > 0)
        screen.line('batch', `${lines.length - due.length} of ${lines.length} lines have their result`)
      if (due.length === 0)
        return told(
          screen,
          args.flag('json') ? io.out : undefined,
          { why: 'all', answered: 0, failed: 0 },
          before,
          lines.length,
          0,
        )
      const budget = left === undefined ? {} : { budgetMsats: left < 0n ? 0n : left }
      const capMsats = BigInt(maxSats) * 1000n
      return await withSession(
        {
          ...args,
          number: (name, ...bounds) =>
            name === 'max-sats' ? maxSats : name === 'budget-sats' ? undefined : args.number(name, ...bounds),
        },
        io,
        screen,
        async session => {
          const { createFetch } = await import('../../openai/index.ts')
          const fetch = createFetch({ session, clock: io.clock })
          let count = 0
          const began = io.clock.now()
          const end = await askBatch({
            ...{ lines: due, concurrency, capMsats, clock: io.clock, signal: io.signal, fetch },
            budget: session.budget,
            onResult(line) {
              results.add(line)
              count++
              const restMs = ((io.clock.now() - began) / count) * (due.length - count)
              const { spentMsats } = session.budget()
              screen.progress(
                'batch',
                `${count} of ${due.length} · ${money(spentMsats)} · ${Math.ceil(restMs / 1000)} s left`,
              )
            },
          })
          // What runs stays in the journal under its key: the next run takes part in it.
          if (end.why === 'stopped')
            await Promise.race([session.leave(), pause(io.clock, leaveMs, new AbortController().signal)])
          return told(
            screen,
            args.flag('json') ? io.out : undefined,
            end,
            before + session.budget().spentMsats,
            lines.length,
            due.length - count,
          )
        },
        { ...budget, keySeconds: keptSeconds },
      )
    } finally {
      results.close()
    }
  },
}

const leaveMs = 10_000
/** Answers that were bought for a line are found again so long. */
const keptSeconds = 7 * 86_400

/** The last words. Exit status 0 where every line has an answer. */
function told(
  screen: Screen,
  out: ((text: string) => void) | undefined,
  end: BatchEnd,
  msats: bigint,
  lines: number,
  left: number,
): number {
  const { why, answered, failed } = end
  const ok = why === 'all' && failed === 0
  out?.(jsonLine({ ok, why, lines, answered, failed, left, msats }))
  const words = [
    `${answered} answered`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(left > 0 ? [`${left} not asked or not ended`] : []),
  ]
  screen.line(ok ? 'done' : 'failed', `${words.join(' · ')} · ${money(msats)} in all${whys[why]}`)
  return ok ? 0 : 1
}

const whys = {
  all: '',
  money: ' · the budget has no room for another line: raise --budget-sats or --max-sats-each and run it again',
  stopped: ' · stopped: run it again to go on',
} as const
