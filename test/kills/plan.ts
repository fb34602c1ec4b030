/**
 * Which kills are played: every crossing of every role once, then what a seed says.
 * @module
 */
import type { WishedTerms } from '../../kinds/index.ts'
import type { Death } from './points.ts'
import { ROLES, type Role } from './setting.ts'

/** One story: jobs are asked, roles die, come back (and may die again on their way), until everything is quiet. */
export interface Scenario {
  readonly n: number
  readonly jobs: readonly (WishedTerms | undefined)[]
  readonly deaths: readonly { readonly role: Role; readonly death: Death }[]
  /** How far a role comes on its way back before it dies again, per role at most once. */
  readonly recovery: readonly { readonly role: Role; readonly death: Death }[]
}

export const TERMS: readonly (WishedTerms | undefined)[] = [undefined, { word: 'parts', parts: 2 }, { word: 'hold' }]

/** A sequence of numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = state
    word = Math.imul(word ^ (word >>> 15), word | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What each role crossed in an undisturbed job on each of the terms. */
export type Crossings = ReadonlyMap<number, Readonly<Record<Role, readonly string[]>>>

/** Each point of each role once, on the first terms that have it. */
export function matrixOf(crossings: Crossings): Omit<Scenario, 'n'>[] {
  const seen = new Set<string>()
  const all: Omit<Scenario, 'n'>[] = []
  for (const [terms, roles] of crossings)
    for (const role of ROLES) {
      const counts = new Map<string, number>()
      for (const point of roles[role]) {
        const nth = (counts.get(point) ?? 0) + 1
        counts.set(point, nth)
        const key = `${role} ${point} ${nth}`
        if (seen.has(key)) continue
        seen.add(key)
        all.push({ jobs: [TERMS[terms]], deaths: [{ role, death: { point, nth } }], recovery: [] })
      }
    }
  return all
}

/** One or two roles that die somewhere, under one to three jobs, some of them again on their way back. */
export function randomScenario(random: () => number, crossings: Crossings): Omit<Scenario, 'n'> {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const jobs = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(TERMS))
  const length = (role: Role) => Math.max(...[...crossings.values()].map(roles => roles[role].length)) * jobs.length
  const deathOf = (role: Role): Death => ({ at: 1 + Math.floor(random() * length(role)) })
  const roles = random() < 0.35 ? ROLES.filter(role => role !== pick(ROLES)).slice(0, 2) : [pick(ROLES)]
  return {
    jobs,
    deaths: roles.map(role => ({ role, death: deathOf(role) })),
    recovery: roles.filter(() => random() < 0.3).map(role => ({ role, death: { at: 1 + Math.floor(random() * 60) } })),
  }
}
