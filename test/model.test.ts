/** The paid job under every order of events: dropped, repeated, reordered, crashed, refused, withdrawn, lied to. */
import { describe, expect, test } from 'vitest'
import { openClientJob } from '../src/job/client-side.ts'
import { openNodeJob } from '../src/job/node-side.ts'
import type { ClientJob, NodeJob, When } from '../src/job.ts'
import { isEnd, step, wakeAt } from '../src/job.ts'
import { check } from './model/check.ts'
import { calm, settings } from './model/settings.ts'
import type { Budget, Heart } from './model/world.ts'

const heart: Heart = { step, wakeAt, openClientJob, openNodeJob }

/** Searched whole by "npm run model"; here their shorter paths. The orders of parts and holds are too many for either. */
const cutHere = [
  'paid before, a relay that drops and repeats',
  'paid before, hostile answers',
  'paid after, hostile answers',
  'paid before, open to all, hostile answers',
]

describe('no order of events breaks the paid job', () => {
  for (const setting of settings.filter(({ metered }) => !metered))
    test(setting.name, () => {
      const wide = setting.when === 'parts' || setting.when === 'hold'
      const report = check(heart, setting, wide ? 60_000 : 150_000)
      expect(report.violation).toBeUndefined()
      expect(report.cut).toBe(wide || cutHere.includes(setting.name))
      expect(report.states).toBeGreaterThan(1000)
    }, 120_000)
})

/** A quote as the first part of its price. */
const quoteOf = (fact: { fact: string }): object => {
  const quote = 'quote' in fact && typeof fact.quote === 'object' ? fact.quote : {}
  return { ...quote, terms: { word: 'parts', part: 1, parts: 2 } }
}

/** A heart with one fault in it. `fault` may replace what a step gave. */
const planted = (
  fault: (job: NodeJob | ClientJob, fact: { fact: string }, next: readonly [object, readonly object[]]) => unknown,
): Heart => ({
  ...heart,
  step: ((job: NodeJob, fact: { fact: 'unpaid' }) => {
    const next = step(job, fact)
    return fault(job, fact, next) ?? next
  }) as Heart['step'],
})

const faults: [name: string, trouble: Partial<Budget>, invariant: RegExp, heart: Heart, when?: When, from?: number][] =
  [
    [
      'a node that takes held money before it has answered',
      {},
      /held money is taken only after/,
      planted((job, fact, next) =>
        job.side === 'node' && fact.fact === 'held' && job.state === 'awaiting-payment'
          ? [next[0], [...next[1], { act: 'settle', hash: job.bill?.hash }]]
          : undefined,
      ),
      'hold',
    ],
    [
      'a node that fails and keeps what is held',
      { runnerDies: 1 },
      /every accepted job ends|an end stays reachable|every client job ends|held money is taken|may still pay/,
      planted((job, fact, next) =>
        job.side === 'node' && fact.fact === 'fault'
          ? [next[0], next[1].filter(act => (act as { act: string }).act !== 'release')]
          : undefined,
      ),
      'hold',
    ],
    [
      'a client that pays any bill of a job in parts',
      { hostile: 1 },
      /nobody pays one job twice|parts never cost more|no client job ends while|a client that paid knows it/,
      planted((job, fact) => {
        if (job.side !== 'client' || fact.fact !== 'quote' || job.pay !== 'paid' || isEnd(job.state)) return undefined
        const { pay: _, order: __, ...rest } = job
        return step({ ...rest, state: 'asked', partsPaid: 0 }, { ...fact, quote: quoteOf(fact) } as never)
      }),
      'parts',
    ],
    [
      'a node that bills again for what was bought elsewhere',
      {},
      /what was bought elsewhere is not billed again/,
      { ...heart, openNodeJob: ({ from: _, ...ask }) => openNodeJob(ask) },
      'parts',
      1,
    ],
    [
      'a client that forgets what it bought elsewhere, at a node that does, too',
      {},
      /what was bought elsewhere|nobody pays one job twice|a client that paid knows it/,
      {
        ...heart,
        openClientJob: ({ from: _, ...ask }) => openClientJob(ask),
        openNodeJob: ({ soFar: _, ...ask }) => openNodeJob(ask),
      },
      'parts',
      1,
    ],
    [
      'a node that forgets the credit that it took for work that failed',
      { runnerDies: 1 },
      /credit that bought nothing is kept/,
      planted((job, fact, next) =>
        job.side === 'node' && fact.fact === 'fault' && job.when === 'credit'
          ? [{ ...next[0], creditMsats: 0n }, next[1]]
          : undefined,
      ),
      'credit',
    ],
    [
      'a client that pays every quote',
      { hostile: 1 },
      /nobody pays one job twice|no client job ends while its wallet may still pay/,
      planted((job, fact, _) => {
        if (job.side !== 'client' || fact.fact !== 'quote' || isEnd(job.state)) return undefined
        const { pay: _pay, order: _order, ...unpaid } = job
        return step({ ...unpaid, state: 'asked' }, fact as never)
      }),
    ],
    [
      'a client that takes silence for failure and starts over',
      { walletSilent: 1 },
      /nobody pays one job twice|no client job ends while its wallet may still pay|a client that paid knows it/,
      planted((job, fact) => {
        if (job.side !== 'client' || fact.fact !== 'pay-unknown' || job.pay !== 'sent') return undefined
        const { pay: _, order: __, quote: ___, ...rest } = job
        return [{ ...rest, state: 'failed', why: { code: 'wallet', says: '' } }, []]
      }),
    ],
    [
      'a node that works as soon as it has billed',
      {},
      /nothing unpaid is delivered/,
      planted((job, fact, next) =>
        job.side === 'node' && fact.fact === 'billed' && job.state === 'quoted'
          ? [{ ...next[0], state: 'running' }, [...next[1], { act: 'run' }]]
          : undefined,
      ),
    ],
    [
      'a node that forgets late money',
      {},
      /every msat that arrived/,
      planted((job, fact) =>
        job.side === 'node' && fact.fact === 'paid' && (job.state === 'expired' || job.state === 'cancelled')
          ? [job, []]
          : undefined,
      ),
    ],
    [
      'a client that forgets its payment in a crash',
      { clientCrash: 1 },
      /no client job ends|a client that paid knows it|nobody pays one job twice/,
      planted((job, fact, next) => {
        if (job.side !== 'client' || fact.fact !== 'restart' || !job.pay || job.state !== 'awaiting-payment')
          return undefined
        const { pay: _, order: __, ...rest } = next[0] as ClientJob
        return [{ ...rest, state: 'asked' }, [{ act: 'publish' }]]
      }),
    ],
    [
      'a node that never looks at the clock',
      {},
      /every accepted job ends|an end stays reachable/,
      planted((job, fact) => (job.side === 'node' && fact.fact === 'time' ? [job, []] : undefined)),
    ],
  ]

describe('the checker sees what it is for', () => {
  for (const [name, trouble, invariant, faulty, when = 'before', from = 0] of faults)
    test(`${name} is caught`, () => {
      const setting = { name, when, from, open: false, budget: { ...calm, ...trouble } } as const
      const { violation } = check(faulty, setting, 400_000)
      expect(violation?.invariant).toMatch(invariant)
      expect(violation?.path.length).toBeGreaterThan(0)
    }, 60_000)
})
