/**
 * `npm run kills`: plays kills and prints what became of the money. Progress goes to stderr, the result is the last line
 * of stdout; the exit status is 1 when anything was wrong.
 * @module
 */
import { parseArgs } from 'node:util'
import { PLANTS } from './plants.ts'
import { playKills } from './run.ts'

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    towns: { type: 'string', default: '4' },
    speed: { type: 'string', default: '15' },
    only: { type: 'string' },
    plant: { type: 'string' },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})
const plant = PLANTS.find(one => one === values.plant)
if (values.plant !== undefined && !plant) throw new Error(`--plant is one of ${PLANTS.join(', ')}`)
const began = Date.now()
const report = await playKills({
  kills: Number(values.n),
  seed: Number(values.seed),
  towns: Number(values.towns),
  speed: Number(values.speed),
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  ...(plant ? { plant } : {}),
  talkative: values.verbose,
  tell: says => process.stderr.write(`${says}\n`),
})
const { kills, paidTwice, lost, orphans, msatsConserved, faults, scenarios, jobs, missed, points } = report
process.stderr.write(
  `${scenarios} scenarios, ${jobs} jobs, ${missed} scenarios ended before their death, points ${JSON.stringify(points)}, ` +
    `seed ${values.seed}, ${Math.round((Date.now() - began) / 1000)} s\n`,
)
if (!values.json) process.stdout.write(`${faults.length === 0 ? 'no money was lost' : `${faults.length} faults`}\n`)
process.stdout.write(`${JSON.stringify({ kills, paidTwice, lost, orphans, msatsConserved })}\n`)
process.exitCode = faults.length === 0 ? 0 : 1
