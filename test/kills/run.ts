/**
 * The kill matrix: plays scenarios in a few towns side by side and judges each once it is quiet.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fault, judge, type Rule } from './judge.ts'
import { type Crossings, matrixOf, randomFrom, randomScenario, type Scenario, TERMS } from './plan.ts'
import type { Plant } from './plants.ts'
import { ROLES, type Role } from './setting.ts'
import { openTown, type Town } from './town.ts'

export interface KillsOptions {
  /** Kills to play at least. */
  readonly kills: number
  readonly seed: number
  /** Towns side by side. Default 4. */
  readonly towns?: number
  /** How much faster than the wall's the time runs. Default 15. */
  readonly speed?: number
  readonly plant?: Plant
  /** These scenarios and no others. */
  readonly scenarios?: readonly Omit<Scenario, 'n'>[]
  /** Only this scenario. */
  readonly only?: number
  /** Most real time for a scenario. Default 90,000. */
  readonly patienceMs?: number
  /** Tells of every scenario, and what the node had trouble with. */
  readonly talkative?: boolean
  tell?(says: string): void
}

export interface KillsReport {
  readonly kills: number
  readonly paidTwice: number
  readonly lost: number
  readonly orphans: number
  readonly msatsConserved: boolean
  /** Every fault with the scenario that showed it. */
  readonly faults: readonly (Fault & { readonly scenario: number; readonly plan: string })[]
  readonly scenarios: number
  readonly jobs: number
  /** Scenarios that ended before their death came. */
  readonly missed: number
  /** Distinct points of each role. */
  readonly points: Readonly<Record<Role, number>>
}

export async function playKills(options: KillsOptions): Promise<KillsReport> {
  const { seed, towns = 4, speed = 15, plant, patienceMs = 90_000, tell = () => {} } = options
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-kills-'))
  const cache = join(folder, 'compiled')
  const faults: KillsReport['faults'][number][] = []
  const asked = new Set<string>()
  let opened = 0
  let kills = 0
  let jobs = 0
  let missed = 0
  let played = 0
  let judged = 0

  // Every other town counts tokens.
  const open = () => {
    const metered = opened % 2 === 1
    return openTown({ folder: join(folder, `${opened++}`), cache, speed, patienceMs, metered, ...(plant && { plant }) })
  }
  const question = () => {
    const text = `job ${++jobs} of the seed ${seed}`
    asked.add(text)
    return text
  }
  const note = (found: readonly Fault[], scenario: number, plan: string) => {
    for (const fault of found) {
      faults.push({ ...fault, scenario, plan })
      tell(`FAULT ${fault.rule} in scenario ${scenario}: ${fault.says}\n  ${plan}`)
    }
  }

  /** Plays one scenario; false when its town is of no use any more. */
  async function play(town: Town, scenario: Scenario): Promise<boolean> {
    const before = town.kills
    const began = Date.now()
    const again = new Map(scenario.recovery.map(({ role, death }) => [role, death]))
    for (const { role, death } of scenario.deaths) await town.arm(role, death)
    for (const terms of scenario.jobs) await town.ask(question(), terms)
    const quiet = await town.quiet(role => {
      const death = again.get(role)
      again.delete(role)
      return death
    })
    for (const role of ROLES) await town.arm(role, undefined)
    // Who was armed still may have died after everything was quiet.
    const settled = quiet && (await town.quiet())
    kills += town.kills - before
    if (town.kills === before) missed++
    played++
    const plan = JSON.stringify(scenario)
    if (options.talkative)
      tell(`${scenario.n}: ${Date.now() - began} ms ${plan} ${town.troubles.splice(0).join(' | ')}`)
    const found = await judge(town, asked)
    note(
      quiet || found.length > 0 ? found : [{ rule: 'orphans', says: 'something never became quiet' }],
      scenario.n,
      plan,
    )
    if (++judged % 20 === 0) tell(`${kills} kills, ${played} scenarios, ${jobs} jobs, ${faults.length} faults`)
    return settled && found.length === 0
  }

  /** What an undisturbed job crosses, on each of the terms. */
  async function survey(town: Town): Promise<Crossings> {
    const crossings = new Map<number, Record<Role, readonly string[]>>()
    for (const [n, terms] of TERMS.entries()) {
      for (const role of ROLES) await town.arm(role, undefined)
      await town.ask(question(), terms)
      const quiet = await town.quiet()
      const found = { payer: [], node: [], wallet: [] } as Record<Role, readonly string[]>
      for (const role of ROLES) found[role] = await town.crossed(role)
      crossings.set(n, found)
      note(await judge(town, asked), -1, 'undisturbed')
      if (!quiet) note([{ rule: 'orphans', says: 'an undisturbed job has no end' }], -1, 'undisturbed')
    }
    return crossings
  }

  try {
    const first = await open()
    const crossings: Crossings = options.scenarios ? new Map() : await survey(first)
    const matrix = options.scenarios ?? matrixOf(crossings)
    const points = { payer: 0, node: 0, wallet: 0 }
    for (const { deaths } of matrix) for (const { role } of deaths) points[role]++
    tell(`points: ${JSON.stringify(points)}`)
    // Where there are more points than kills, every so-many-th of them, another one for another seed.
    const room = Math.floor(options.kills * 0.7)
    const step = Math.max(1, matrix.length / Math.max(1, room))
    const chosen = matrix.filter(
      (_, n) => Math.floor((n + (seed % 7)) / step) !== Math.floor((n + (seed % 7) - 1) / step),
    )
    let next = 0
    const scenario = (): Scenario | undefined => {
      const n = next++
      if (options.only !== undefined && n !== options.only) return n < options.only ? scenario() : undefined
      if (options.scenarios) return matrix[n] && { n, ...matrix[n] }
      if (kills >= options.kills) return undefined
      // A plan that never kills must end, too.
      if (n > 3 * options.kills + 50) return undefined
      return { n, ...(chosen[n] ?? randomScenario(randomFrom(seed * 1_000_003 + n), crossings)) }
    }
    const live = async (begun?: Town) => {
      let town = begun ?? (await open())
      for (let story = scenario(); story; story = scenario())
        if (!(await play(town, story))) {
          await town.close()
          town = await open()
        }
      note(await judge(town, asked, true), -1, 'at the end')
      await town.close()
    }
    await Promise.all(
      Array.from({ length: options.only === undefined ? towns : 1 }, (_, n) => live(n === 0 ? first : undefined)),
    )
    const count = (rule: Rule) => faults.filter(fault => fault.rule === rule).length
    return {
      kills,
      ...{ paidTwice: count('paidTwice'), lost: count('lost'), orphans: count('orphans') },
      msatsConserved: count('msatsConserved') === 0,
      ...{ faults, scenarios: played, jobs, missed, points },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
