/** The simulator: the same seed tells the same story, and the rules hold against the cheats that they were made for. */
import { describe, expect, test } from 'vitest'
import { chartOf, jobsFor, type SimOptions, type SimReport, simulate } from '../src/sim/index.ts'

const run = (options: Partial<SimOptions>): { report: SimReport; steps: number[]; options: SimOptions } => {
  const all = { nodes: 1_000, bad: 0.9, traitors: 0.99, sybils: 0, seed: 7, jobs: 60_000, ...options }
  const simulation = simulate(all)
  const steps: number[] = []
  for (let next = simulation.next(); ; next = simulation.next()) {
    if (next.done) return { report: next.value, steps, options: all }
    steps.push(next.value)
  }
}

describe('a simulation', () => {
  test('is the same for the same seed, and another for another', () => {
    const small = { nodes: 100, jobs: 4_000 }
    expect(run(small).report).toEqual(run(small).report)
    expect(run(small).report).not.toEqual(run({ ...small, seed: 8 }).report)
  })

  test('tells how far it is', () => {
    const { steps } = run({ nodes: 50, jobs: 10_000 })
    expect(steps).toEqual([0.2, 0.4, 0.6, 0.8, 1])
  })

  test('refuses shares that are none and policies that are not there', () => {
    expect(() => run({ bad: 1.5 })).toThrow('bad 1.5: a share is from 0 to 1.')
    expect(() => run({ traitors: Number.NaN })).toThrow('traitors NaN')
    expect(() => run({ policy: 'nepotism' })).toThrow('There is no policy "nepotism". There are: default')
  })

  test('asks for as many jobs as it takes to prove some', () => {
    expect([10, 10_000, 1_000_000].map(jobsFor)).toEqual([400_000, 1_000_000, 2_000_000])
  })
})

describe('against cheats', () => {
  test('nine cheats of ten, patient: one bad answer in a hundred at most, one answer in eight computed again', () => {
    const { report } = run({ nodes: 2_000, jobs: 200_000, seed: 3 })
    expect(report.junk).toBeLessThanOrEqual(0.01)
    expect(report.auditOverhead).toBeLessThanOrEqual(0.125)
    expect(report.honestGraduates).toBeGreaterThan(5)
    expect(report.honestCaught).toBe(0)
    // Without audits, cheats of nine in ten nodes would be paid for nine in ten jobs.
    expect(report.paidToCheats).toBeLessThan(0.15)
    expect(report.graduates).toBeGreaterThan(report.honestGraduates * 2)
  })

  test('with fewer audits the same cheats do more harm: the figures come from the rules', async () => {
    const { defaultParams } = await import('../src/ledger/index.ts')
    // One audit in as many jobs as went well, and no least: patience pays.
    const params = { ...defaultParams, auditLeast: 0, auditLeastBonded: 0, auditLeastWellBonded: 0, probationJobs: 1 }
    const careless = run({ params }).report
    const careful = run({}).report
    expect(careless.junk).toBeGreaterThan(1.5 * careful.junk)
    expect(careless.auditOverhead).toBeLessThan(careful.auditOverhead)
  })

  test('a hundred Sybils that pay themselves: none in the top hundred, and most of it where volume counts', () => {
    const { report } = run({ nodes: 600, bad: 0, sybils: 100 / 600, jobs: 120_000 })
    expect(report.sybilsInTop100).toBe(0)
    expect(report.sybilsInTop100ByVolume).toBeGreaterThan(0.01)
    expect(report.honestGraduates).toBeGreaterThan(50)
    expect(report.junk).toBe(0)
  })

  test('ninety-nine Sybils of a hundred: the honest still come through', () => {
    const { report } = run({ nodes: 5_000, bad: 0, sybils: 0.99, jobs: 150_000 })
    expect(report.honestGraduates).toBeGreaterThan(10)
    expect(report.sybilsInTop100).toBe(0)
    expect(report.caught).toBeGreaterThan(500)
  })

  test('a market of honest nodes pays for its audits with nothing else', () => {
    const { report } = run({ nodes: 30, bad: 0, jobs: 60_000 })
    expect(report).toMatchObject({
      junk: 0,
      caught: 0,
      honestCaught: 0,
      paidToCheats: 0,
      honestEjections: expect.any(Number),
    })
    expect(report.honestGraduated).toBe(1)
    expect(report.unanswered).toBeLessThan(0.01)
    expect(report.gini).toBeLessThan(0.9)
  })
})

describe('the chart', () => {
  test('is well-formed, says in words what it shows, and leaves no curve out of its frame', () => {
    const { report, options } = run({ nodes: 100, jobs: 4_000 })
    const svg = chartOf(options, report)
    expect(svg).toContain('<title>100 nodes: 90 % cheat, 99 % of them patiently.')
    expect(svg.match(/<polyline /g)).toHaveLength(4)
    const places = [...svg.matchAll(/points="([^"]+)"/g)].flatMap(([, path = '']) => path.split(' '))
    expect(places).toHaveLength(4 * report.curve.length)
    for (const place of places) {
      const [x = Number.NaN, y = Number.NaN] = place.split(',').map(Number)
      expect(x).toBeGreaterThanOrEqual(64)
      expect(x).toBeLessThanOrEqual(730)
      expect(y).toBeGreaterThanOrEqual(90)
      expect(y).toBeLessThanOrEqual(518)
    }
    for (const word of ['audited', 'bad answers', 'proven', 'of them honest', 'virtual days'])
      expect(svg).toContain(word)
    expect(svg).not.toMatch(/NaN|undefined|<script/)
  })
})
