/**
 * `npm run faults [-- --seed N --rail sim|ldk --all --json]`: plays the fault matrix and prints it. Exit status 1 when an
 * invariant of the money is broken that is not listed in `known.ts`.
 * @module
 */
import { parseArgs } from 'node:util'
import { KNOWN, knownOf } from './known.ts'
import { nameOf, playMatrix, type Run } from './matrix.ts'
import { RAILS } from './rails.ts'
import { tableOf } from './table.ts'

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
const failures: Run[] = []
const began = performance.now()
const runs = await playMatrix({
  ...{ seed, rail, events: values.all ? 'all' : 'some' },
  onRun(run) {
    if (run.broken.length > 0 && !knownOf(run)) failures.push(run)
    if (values.json) process.stdout.write(`${JSON.stringify(run)}\n`)
  },
})
const seconds = Math.round((performance.now() - began) / 1000)
for (const relays of [1, 2] as const) {
  say(relays === 1 ? 'One relay, and it is faulty:' : '\nA faulty relay and an honest one:')
  for (const line of tableOf(runs, relays)) say(line)
}
say(
  '\nok: paid once and answered. credit: paid, and both sides know what the node keeps. Other words: the code with which',
)
say('the job ended, unpaid. !: an invariant that was broken.')
for (const { kind, faults, relays, says } of KNOWN)
  say(`Known: kind ${kind}, ${faults.join(', ')}, ${relays} ${relays === 1 ? 'relay' : 'relays'}. ${says}`)
for (const run of failures) say(`NOT KNOWN: ${nameOf(run)}: ${run.broken.join(', ')} (${run.word})`)
const known = runs.filter(run => run.broken.length > 0 && knownOf(run)).length
const figures = { runs: runs.length, broken: failures.length, known, seed, rail, seconds }
process.stdout.write(`${values.json ? '' : '\n'}${JSON.stringify(figures)}\n`)
process.exitCode = failures.length === 0 ? 0 : 1
