/** Customer, node and wallets die wherever they can and come back: no money is lost, doubled or forgotten. */
import { describe, expect, test } from 'vitest'
import { openPoints } from './kills/points.ts'
import { type KillsReport, playKills } from './kills/run.ts'
import { keeps } from './promises.ts'

const KILLS = Number(process.env['GRIDSTR_KILLS'] ?? 200)
const seed = Number(process.env['GRIDSTR_SEED'] ?? 1)

const told = ({ faults }: KillsReport) => faults.map(({ rule, says, plan }) => `${rule}: ${says} ${plan}`)

keeps(
  'job.survives',
  `${KILLS} kills of customer, node and wallets lose no money`,
  async () => {
    const report = await playKills({ kills: KILLS, seed })
    expect(told(report)).toEqual([])
    const { kills, paidTwice, lost, orphans, msatsConserved, points } = report
    expect({ paidTwice, lost, orphans, msatsConserved }).toEqual({
      paidTwice: 0,
      lost: 0,
      orphans: 0,
      msatsConserved: true,
    })
    expect(kills).toBeGreaterThanOrEqual(KILLS)
    for (const count of Object.values(points)) expect(count).toBeGreaterThan(40)
  },
  600_000,
)

describe('planted faults are found', () => {
  test.each([
    ['forgetful-node', 'lost', 'node', ['journal:bill paid:after', 'journal:fact result:after']],
    ['late-intent', 'orphans', 'payer', ['wallet pay:after', 'wallet pay:sent']],
    ['no-outbox', 'saidTwice', 'node', ['publish 6050:sent', 'publish 6050:taken', 'journal:end:before']],
  ] as const)(
    '%s is %s',
    async (plant, rule, role, points) => {
      const scenarios = points.map(point => ({
        jobs: [undefined],
        deaths: [{ role, death: { point, nth: 1 } }],
        recovery: [],
      }))
      const report = await playKills({ kills: points.length, seed, plant, scenarios, towns: 1 })
      expect(report.faults.map(fault => fault.rule)).toContain(rule)
      // The same deaths do no harm to those who write down what they must.
      const sound = await playKills({ kills: points.length, seed, scenarios, towns: 1 })
      expect(told(sound)).toEqual([])
      expect(sound.kills).toBe(points.length)
    },
    300_000,
  )
})

test('a process dies at the crossing that was named, and only there', () => {
  const deaths: number[] = []
  const points = openPoints(() => deaths.push(points.crossed.length))
  points.arm({ point: 'b', nth: 2 })
  for (const point of ['a', 'b', 'a', 'b', 'b']) points.cross(point)
  points.arm({ at: 3 })
  for (const point of ['a', 'b', 'a', 'b']) points.cross(point)
  points.arm(undefined)
  points.cross('b')
  expect(deaths).toEqual([4, 3])
})
