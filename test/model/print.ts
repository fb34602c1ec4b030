/**
 * `npm run model [-- --deep]`: searches every order of events of a paid job and prints what was searched. Parts and holds are
 * searched up to half a million states each, the shortest paths first. With `--deep` they are searched whole, and several
 * troubles may meet on one path; that takes a long while and many gigabytes.
 * @module
 */

import { openClientJob } from '../../src/job/client-side.ts'
import { openNodeJob } from '../../src/job/node-side.ts'
import { step, wakeAt } from '../../src/job.ts'
import { check } from './check.ts'
import { calm, settings } from './settings.ts'
import type { Setting } from './world.ts'

const heart = { step, wakeAt, openClientJob, openNodeJob }
const both = { ...calm, drop: 1, clientCrash: 1, nodeCrash: 1 }
const deep: Setting[] = (['before', 'after'] as const).flatMap(when => [
  { name: `paid ${when}, drops and both crash`, when, open: false, budget: both },
  {
    name: `paid ${when}, drops, a silent wallet and hostile answers`,
    when,
    open: false,
    budget: { ...calm, drop: 1, walletSilent: 1, hostile: 1 },
  },
])

let states = 0
const began = performance.now()
let broken = false
const whole = process.argv.includes('--deep')
for (const setting of whole ? [...settings, ...deep] : settings) {
  const start = performance.now()
  const wide = !whole && (setting.when === 'parts' || setting.when === 'hold')
  const report = check(heart, setting, wide ? 500_000 : 12_000_000)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  states += report.states
  broken ||= report.violation !== undefined || (report.cut && !wide)
  const verdict = report.violation
    ? `BROKEN: ${report.violation.invariant}`
    : report.cut
      ? 'holds as far as searched'
      : 'holds'
  console.log(
    `${setting.name.padEnd(66)} ${String(report.states).padStart(9)} states ${String(report.moves).padStart(9)} moves ${seconds.padStart(6)} s  ${verdict}`,
  )
  for (const move of report.violation?.path ?? []) console.log(`    ${move}`)
}
console.log(`${states} states in ${((performance.now() - began) / 1000).toFixed(1)} s`)
process.exitCode = broken ? 1 : 0
