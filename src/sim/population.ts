/**
 * Who takes part in a simulation, and what each does with a job.
 * @module
 */
import { sha256Hex } from '../hash.ts'
import { openTrack, type Track } from '../ledger/index.ts'
import type { Dice } from '../routing/index.ts'
import type { SimOptions } from './sim.ts'

/**
 * `lazy`: three answers of ten come from a smaller model. `lying`: all do. `silent`: takes work and never answers.
 * `traitor`: honest until it has been trusted for a while, then lying. `sybil`: lies, and is paid by its own operator.
 */
export type Behaviour = 'honest' | 'lazy' | 'lying' | 'silent' | 'traitor' | 'sybil'

/** One identity that has begun to work; those who wait in the queue are only numbers. */
export interface Worker {
  readonly name: string
  readonly behaviour: Behaviour
  readonly msats: number
  /** Its own time to the first word and for one more. */
  readonly firstMs: number
  readonly perTokenMs: number
  readonly track: Track
  /** Jobs that it does honestly after it was proven. */
  readonly patience: number
  graduatedAt: number
  trusted: number
  served: number
  received: number
  awayUntil: number
  offered: boolean
}

/** What a node does with one job. */
export type Work = 'good' | 'junk' | 'nothing'

/** Deals behaviours in a random order, the same for the same seed. */
export interface Population {
  readonly honest: number
  /** The next one who knocks; `undefined` when nobody is left. */
  next(): Worker | undefined
  /** Who was caught comes back with a new key. */
  comeBack(worker: Worker): void
}

const lazyShare = 0.3
/** Honest nodes fail now and then, too. */
const misfortune = 0.004
/** How long a traitor waits at most, in jobs. */
const mostPatience = 60

export function openPopulation(options: SimOptions, dice: Dice): Population {
  const { nodes, traitors } = options
  const sybils = Math.round(nodes * options.sybils)
  const cheats = Math.round((nodes - sybils) * options.bad)
  const base = sha256Hex(`gridstr sim ${options.seed}`)
  const row = deal(nodes, sybils, cheats, dice)
  const again: Behaviour[] = []
  let taken = 0
  let back = 0
  let named = 0

  const worker = (behaviour: Behaviour): Worker => {
    const slow = behaviour === 'lazy' || behaviour === 'lying' || behaviour === 'sybil' ? 1.5 : 1
    return {
      name: sha256Hex(base + named++),
      behaviour,
      // Cheats are cheap, so that they are chosen often.
      msats: Math.round((behaviour === 'honest' ? 1000 : 850) * 2 ** (dice.next() - 0.5)),
      firstMs: 200 * slow * 4 ** (dice.next() - 0.5),
      perTokenMs: 20 * slow * 4 ** (dice.next() - 0.5),
      track: openTrack(),
      patience: Math.floor(dice.next() * mostPatience),
      ...{ graduatedAt: -1, trusted: 0, served: 0, received: 0, awayUntil: 0, offered: false },
    }
  }

  const cheat = (): Behaviour =>
    dice.next() < traitors ? 'traitor' : (impatient[Math.floor(dice.next() * impatient.length)] ?? 'lying')

  return {
    honest: nodes - sybils - cheats,
    next() {
      if (taken < nodes) {
        const who = row[taken++]
        return worker(who === isSybil ? 'sybil' : who === isCheat ? cheat() : 'honest')
      }
      const behaviour = again[back++]
      return behaviour && worker(behaviour)
    },
    comeBack({ behaviour }) {
      again.push(behaviour)
    },
  }
}

/** What this one does with a job. `dice` are its own. */
export function workOf(worker: Worker, dice: Dice): Work {
  if (worker.behaviour === 'silent') return 'nothing'
  if (dice.next() < misfortune) return 'nothing'
  if (worker.behaviour === 'lying' || worker.behaviour === 'sybil') return 'junk'
  if (worker.behaviour === 'lazy') return dice.next() < lazyShare ? 'junk' : 'good'
  if (worker.behaviour === 'traitor') return worker.trusted > worker.patience ? 'junk' : 'good'
  return 'good'
}

/** Who is what, in random places (Fisher and Yates). */
function deal(nodes: number, sybils: number, cheats: number, dice: Dice): Uint8Array {
  const row = new Uint8Array(nodes).fill(isSybil, 0, sybils).fill(isCheat, sybils, sybils + cheats)
  for (let i = nodes - 1; i > 0; i--) {
    const j = Math.floor(dice.next() * (i + 1))
    const kept = row[i] ?? 0
    row[i] = row[j] ?? 0
    row[j] = kept
  }
  return row
}

const isCheat = 1
const isSybil = 2
const impatient: readonly Behaviour[] = ['lazy', 'lying', 'silent']
