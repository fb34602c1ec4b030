/** The mailbox: order, keeping before acting, and the one place where a throw becomes a fact. */
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { openMailbox } from '../src/mailbox.ts'

type Fact = { add: string } | { time: number }
const options = (log: string[], clock = handClock(0)) => ({
  clock,
  job: '',
  acts: ['open'],
  step: (job: string, fact: Fact): readonly [string, readonly string[]] =>
    'time' in fact ? [`${job}@${fact.time}`, []] : [job + fact.add, [`did ${fact.add}`]],
  perform: (act: string) => void log.push(act),
  onThrow: (_: string, error: unknown): Fact => ({ add: `!${(error as Error).message}` }),
  wakeAt: (job: string) => (job.includes('@') ? undefined : 5),
  timeFact: (now: number): Fact => ({ time: now }),
})
const idle = () => new Promise<void>(resolve => setImmediate(resolve))

describe('mailbox', () => {
  test('a fact sent from inside an act waits its turn', async () => {
    const log: string[] = []
    const box = openMailbox<string, Fact, string>({
      ...options(log),
      perform: (act, job, send) => {
        log.push(`${act} in "${job}"`)
        if (act === 'did a') send({ add: 'b' })
      },
    })
    box.send({ add: 'a' })
    box.send({ add: 'c' })
    await idle()
    expect(box.job()).toBe('acb')
    expect(log).toEqual(['open in ""', 'did a in "a"', 'did c in "ac"', 'did b in "acb"'])
  })

  test('the job is written down before any of its acts starts, and a failed write starts none', async () => {
    const log: string[] = []
    let broken: unknown
    const box = openMailbox<string, Fact, string>({
      ...options(log),
      keep: async job => {
        log.push(`kept "${job}"`)
        if (job === 'ab') throw new Error('disk full')
      },
      onBroken: error => {
        broken = error
      },
    })
    box.send({ add: 'a' })
    box.send({ add: 'b' })
    box.send({ add: 'c' })
    await idle()
    expect(log).toEqual(['kept ""', 'open', 'kept "a"', 'did a', 'kept "ab"'])
    expect((broken as Error).message).toBe('disk full')
  })

  test('what an act throws or rejects with comes back as a fact', async () => {
    const box = openMailbox<string, Fact, string>({
      ...options([]),
      perform: act => {
        if (act === 'did a') throw new Error('sync')
        if (act === 'did b') return Promise.reject(new Error('async'))
        return undefined
      },
    })
    box.send({ add: 'a' })
    await idle()
    box.send({ add: 'b' })
    await idle()
    expect(box.job()).toBe('a!syncb!async')
  })

  test('the job is woken when it asked for it, and not after closing', async () => {
    const clock = handClock(0)
    const box = openMailbox<string, Fact, string>(options([], clock))
    await clock.advance(4999)
    expect(box.job()).toBe('')
    await clock.advance(1)
    expect(box.job()).toBe('@5')
    expect(clock.waiting).toBe(0)
    const other = openMailbox<string, Fact, string>(options([], clock))
    other.close()
    await clock.advance(10_000)
    expect(other.job()).toBe('')
  })

  test('a full box drops the newest and counts', async () => {
    const box = openMailbox<string, Fact, string>({ ...options([]), room: 2 })
    for (const add of ['a', 'b', 'c']) box.send({ add })
    await idle()
    expect(box.job()).toBe('ab')
    expect(box.dropped).toBe(1)
  })
})
