/**
 * `npm run faults [-- --seed N --rail sim|ldk --all --json]`: plays the fault matrix and prints it. Exit status 1 when an
 * invariant of the money is broken that is not listed in `known.ts`.
 * @module
 */
import { parseArgs } from 'node:util'
import { KNOWN, knownOf } from './known.ts'
import { MONEY_KINDS, nameOf, playMatrix, type Run } from './matrix.ts'
import { RAILS } from './rails.ts'
import { tableOf } from './table.ts'

/** How each story is told above its table. */
const TITLES = {
  buy: 'paid before the work',
  parts: 'paid in two parts',
  after: 'paid after the work',
  hold: 'paid by a held invoice, which opens the answer',
  tokens: 'paid by the token, and what was not used is claimed back',
  refund: 'paid before, the work fails, and the money is claimed back',
} as const
const STORIES = ['buy', 'parts', 'after', 'hold', 'tokens', 'refund'] as const

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    rail: { type: 'string', default: 'sim' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)
const rail = RAILS.find(name => name === values.rail)
if (!Number.isSafeInteger(seed) || !rail) throw new Error('Say --seed with a whole number and --rail sim or ldk.')

const say = (text: string) => void (values.json || process.stdout.write(`${text}\n`))
const runs: Run[] = []
const began = performance.now()
for (const story of STORIES) {
  const found = await playMatrix({
    ...{ seed, rail, events: values.all ? 'all' : 'some' },
    ...(story === 'buy' ? {} : { story, kinds: MONEY_KINDS }),
    onRun: run => void (values.json && process.stdout.write(`${JSON.stringify(run)}\n`)),
  })
  runs.push(...found)
  for (const relays of [1, 2] as const) {
    say(`${TITLES[story]} · ${relays === 1 ? 'one relay, and it is faulty' : 'a faulty relay and an honest one'}`)
    for (const line of tableOf(found.filter(run => run.relays === relays))) say(line)
    say('')
  }
}
const seconds = Math.round((performance.now() - began) / 1000)
say(
  'ok: paid once and answered. refunded: paid, not answered, paid back. credit: paid, not answered, and the node keeps it',
)
say(
  'for the customer. owes: answered, not paid, which ends the credit. Other words: the code with which the job ended.',
)
say('!: an invariant that was broken.')
for (const { stories, kind, faults, relays, says } of KNOWN)
  say(`Known: ${stories.join(', ')}: kind ${kind}, ${faults.join(', ')}, relays: ${relays}. ${says}`)
const broken = runs.filter(run => run.broken.length > 0)
const failures = broken.filter(run => !knownOf(run))
for (const run of failures) say(`NOT KNOWN: ${nameOf(run)}: ${run.broken.join(', ')} (${run.word})`)
const figures = { broken: failures.length, known: broken.length - failures.length, seed, rail, seconds }
process.stdout.write(`${JSON.stringify({ runs: runs.length, ...figures })}\n`)
process.exitCode = failures.length === 0 ? 0 : 1
