/** How a client listens: few subscriptions, each narrow, and no job hears another's answers. */
import { describe, expect, test } from 'vitest'
import { type Event, jobKinds } from '../kinds/index.ts'
import type { Filter, ListenOptions, Relays } from '../relays/relay.ts'
import { type Heard, openHearing } from '../src/client/hearing.ts'
import { handClock } from '../src/clock.ts'

const me = 'aa'.repeat(32)
const results = jobKinds.map(({ result }) => result.number)
const key = (n: number) => n.toString(16).padStart(64, '0')

interface Asked {
  readonly filters: Filter[]
  readonly options: ListenOptions
  open: boolean
}

/** Relays that note what they are asked. */
function world() {
  const asked: Asked[] = []
  const nothing = { accepted: 0, enough: false, acks: [] }
  const relays: Relays = {
    urls: [],
    publish: async () => nothing,
    listen(filters, options) {
      const one = { filters, options, open: true }
      asked.push(one)
      const close = () => {
        one.open = false
      }
      return { live: Promise.resolve(), close }
    },
    state: () => [],
    close: async () => {},
  }
  const hear = openHearing({ relays, clock: handClock(), pubkey: me })
  const heard: string[] = []
  const listen = (job: number, of: Partial<Heard> = {}) =>
    hear({
      job: key(job),
      node: key(1),
      namesUs: true,
      wantsReceipt: false,
      onEvent: event => void heard.push(`${job}:${event.content}`),
      ...of,
    })
  return { asked, heard, hear, listen, open: () => asked.filter(one => one.open).length }
}

const answer = (job: number, content: string): Event => ({
  id: key(99),
  pubkey: key(1),
  created_at: 1,
  kind: 6050,
  tags: [['e', key(job)]],
  content,
  sig: '',
})

describe('hearing', () => {
  test('jobs for one node share a subscription to its author and our key, and each hears its own answers', () => {
    const { asked, heard, listen } = world()
    const first = listen(11)
    listen(12)
    expect(asked).toHaveLength(1)
    for (const filter of asked[0]?.filters ?? []) expect(filter).toMatchObject({ authors: [key(1)], '#p': [me] })
    const take = asked[0]?.options.onEvent
    take?.(answer(11, 'a'), '')
    take?.(answer(12, 'b'), '')
    take?.(answer(13, 'c'), '')
    first.close()
    take?.(answer(11, 'late'), '')
    expect(heard).toEqual(['11:a', '12:b'])
    expect(asked[0]?.open).toBe(true)
  })

  test('a receipt is asked for by its job, once, from the first word of the node until the job is over', () => {
    const { asked, heard, listen, open } = world()
    const job = listen(11, { wantsReceipt: true })
    expect(asked).toHaveLength(1)
    asked[0]?.options.onEvent(answer(11, 'bill'), '')
    asked[0]?.options.onEvent(answer(11, 'answer'), '')
    expect(heard).toEqual(['11:bill', '11:answer'])
    expect(asked).toHaveLength(2)
    expect(asked[1]?.filters).toEqual([{ kinds: [9735], '#e': [key(11)], authors: [key(1)] }])
    job.close()
    expect(open()).toBe(1)
  })

  test('who may leave our key out, and everybody who answers an open job, is heard by the job', () => {
    const { asked, heard, hear, listen, open } = world()
    const dialect = listen(11, { namesUs: false })
    expect(asked[0]?.filters[0]).toMatchObject({ '#e': [key(11)], authors: [key(1)] })
    asked[0]?.options.onEvent(answer(12, 'other'), '')
    asked[0]?.options.onEvent(answer(11, 'own'), '')
    expect(heard).toEqual(['11:own'])
    const anybody = hear({ job: key(12), namesUs: false, wantsReceipt: true, onEvent() {} })
    expect(asked[1]?.filters[0]).toEqual({ kinds: [7000, ...results, 9735], '#e': [key(12)] })
    anybody.close()
    dialect.close()
    expect(open()).toBe(0)
  })

  test('eight nodes are listened to at most: an idle one makes room, and where none is idle a job listens for itself', () => {
    const { asked, listen, open } = world()
    const jobs = Array.from({ length: 8 }, (_, n) => listen(20 + n, { node: key(n + 1) }))
    expect(open()).toBe(8)
    const ninth = listen(40, { node: key(9) })
    expect(asked.at(-1)?.filters[0]).toMatchObject({ '#e': [key(40)] })
    ninth.close()
    expect(open()).toBe(8)
    jobs[3]?.close()
    listen(41, { node: key(10) })
    expect(asked.at(-1)?.filters[0]).toMatchObject({ '#p': [me], authors: [key(10)] })
    expect(open()).toBe(8)
    expect(asked[3]?.open).toBe(false)
  })
})
