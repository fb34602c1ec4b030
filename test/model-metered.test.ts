/** The paid job by the token under every order of events: what was paid is its cost and what is kept, whatever happens. */
import { describe, expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { openNodeJob } from '../src/job/node-side.ts'
import type { ClientJob, NodeAct, NodeJob, When } from '../src/job.ts'
import { step, wakeAt } from '../src/job.ts'
import { check } from './model/check.ts'
import { calm, settings } from './model/settings.ts'
import type { Budget, Heart } from './model/world.ts'

const heart: Heart = { step, wakeAt, openClientJob, openNodeJob }

describe('no order of events loses a millisatoshi of a job by the token', () => {
  // All troubles, and whole, are searched by "npm run model".
  const here = settings.filter(({ name, metered }) => metered && /a node crash|who cancels|hostile/.test(name))
  for (const setting of here)
    test(setting.name, () => {
      const report = check(heart, setting, 20_000)
      expect(report.violation).toBeUndefined()
      expect(report.states).toBeGreaterThan(1000)
    }, 120_000)
})

type Job = NodeJob | ClientJob
type Next = readonly [Job, readonly { readonly act: string }[]]

/** A heart with one fault in it. `fault` may replace what a step gave. */
const planted = (fault: (job: Job, fact: { fact: string }, next: Next) => Next | undefined): Heart => ({
  ...heart,
  step: ((job: NodeJob, fact: { fact: 'unpaid' }) => {
    const next = step(job, fact)
    return fault(job, fact, next) ?? next
  }) as Heart['step'],
})
const credits = (acts: Next[1]): readonly NodeAct[] => acts.filter(({ act }) => act === 'credit') as readonly NodeAct[]

const faults: readonly [name: string, trouble: Partial<Budget>, when: When, invariant: RegExp, heart: Heart][] = [
  [
    'a node that keeps for itself what was not used',
    {},
    'before',
    /what was paid is cost and credit/,
    planted((job, { fact }, [next, acts]) =>
      job.side === 'node' && fact === 'result' && credits(acts).length > 0
        ? [{ ...next, creditMsats: job.creditMsats } as Job, acts]
        : undefined,
    ),
  ],
  [
    'a node that gives back what is held before it is taken, and again when it is',
    {},
    'hold',
    /what was paid is cost and credit/,
    planted((job, { fact }, [next, acts]) =>
      job.side === 'node' && fact === 'result' && job.when === 'hold' && job.state === 'running'
        ? [{ ...next, creditMsats: 1n } as Job, acts]
        : undefined,
    ),
  ],
  [
    'a node that bills the most that a job may cost after the work, too',
    {},
    'after',
    /what was paid is cost and credit/,
    planted((job, { fact }, [next, acts]) =>
      job.side === 'node' && fact === 'result' && job.when === 'after' && job.state === 'running'
        ? [next, acts.map(act => (act.act === 'bill' ? { ...act, msats: job.msats } : act))]
        : undefined,
    ),
  ],
  [
    'a node that withdraws work and keeps the rest of its money',
    { cancel: 1 },
    'before',
    /what was paid is cost and credit/,
    planted((job, { fact }, [next, acts]) =>
      job.side === 'node' && fact === 'cancel' && credits(acts).length > 0
        ? [{ ...next, creditMsats: 0n } as Job, acts]
        : undefined,
    ),
  ],
  [
    'a node that takes more than it billed',
    {},
    'credit',
    /a job costs no more than it was billed|what was paid is cost and credit/,
    planted((job, { fact }, [next, acts]) =>
      job.side === 'node' && fact === 'result' && job.state === 'running'
        ? [{ ...next, costMsats: 3n } as Job, acts]
        : undefined,
    ),
  ],
  [
    'a customer that believes whatever is said to be kept',
    { hostile: 1 },
    'before',
    /a client counts no credit above what it pays/,
    planted((job, fact, [next, acts]) =>
      job.side === 'client' && fact.fact === 'result' && 'creditMsats' in fact && next.state !== job.state
        ? [{ ...next, creditMsats: fact.creditMsats } as Job, acts]
        : undefined,
    ),
  ],
]

describe('the checker sees what it is for', () => {
  for (const [name, trouble, when, invariant, faulty] of faults)
    test(`${name} is caught`, () => {
      const setting = { name, when, metered: true, open: false, budget: { ...calm, ...trouble } }
      const { violation } = check(faulty, setting, 400_000)
      expect(violation?.invariant).toMatch(invariant)
    }, 60_000)
})
