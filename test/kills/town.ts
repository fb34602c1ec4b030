/**
 * A relay, two wallets with a channel, a node and a customer: each of the three roles a process that may die, and comes
 * back as the same one.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { referencesOf, textResult, type WishedTerms } from '../../kinds/index.ts'
import { startRelay } from '../../relays/index.ts'
import { connectRelays } from '../../src/connect.ts'
import { type Journal, openJournal } from '../../src/journal/index.ts'
import { openKeys } from '../../src/keys.ts'
import { type Child, type News, startChild } from './child.ts'
import { fastClock, type Pace } from './fast-clock.ts'
import type { Plant } from './plants.ts'
import type { Death } from './points.ts'
import { ROLES, type Role, type Setting } from './setting.ts'
import type { Books } from './wallets.ts'

export const PRICE = 21_000n

export interface Ended {
  readonly job: string
  readonly ok: boolean
  readonly text: string
  readonly code: string
  readonly says: string
  readonly msats: bigint
}

export interface Town {
  readonly kills: number
  /** What the customer was told of each job, whenever it was told. */
  readonly outcomes: ReadonlyMap<string, Ended>
  /** Ids of the results of each job. */
  readonly results: ReadonlyMap<string, ReadonlySet<string>>
  /** Ends that were no kills, and bugs that roles reported. */
  readonly accidents: readonly string[]
  /** What the node had trouble with; for whoever looks for a cause. */
  readonly troubles: string[]
  /** Readers of what payer and node wrote down. */
  journals(): { readonly payer: Journal; readonly node: Journal }
  books(limit: number): Promise<Books | undefined>
  arm(role: Role, death: Death | undefined): Promise<void>
  crossed(role: Role): Promise<readonly string[]>
  ask(text: string, terms?: WishedTerms): Promise<void>
  /** Resolves when one of the roles dies; at once when one is dead. */
  death(): Promise<void>
  /** Brings back who is dead, `recovery` deciding how far each comes, until nothing moves. False when something never ends. */
  quiet(recovery?: (role: Role) => Death | undefined): Promise<boolean>
  close(): Promise<void>
}

export interface TownOptions {
  readonly folder: string
  /** For compiled code, shared by all towns. */
  readonly cache: string
  readonly speed: number
  readonly plant?: Plant
  /** The node asks prices of tokens. */
  readonly metered?: boolean
  /** Longest time that anything may take to become quiet, in real milliseconds. */
  readonly patienceMs: number
}

export async function openTown(options: TownOptions): Promise<Town> {
  const { folder, cache, speed, plant, patienceMs, metered = false } = options
  mkdirSync(folder, { recursive: true })
  const pace: Pace = { beganMs: Date.now(), speed }
  const clock = fastClock(pace)
  const keys = await openKeys()
  const limits = { messagesPerSecond: 100_000, messagesBurst: 100_000 }
  const relay = await startRelay({ clock, verify: keys.verify, limits })
  const hex = () => Buffer.from(keys.newSecret()).toString('hex')
  const secrets: Setting['secrets'] = {
    ...{ payer: hex(), node: hex(), payerWallet: hex(), payerClient: hex(), nodeWallet: hex(), nodeClient: hex() },
  }
  const outcomes = new Map<string, Ended>()
  const results = new Map<string, Set<string>>()
  const accidents: string[] = []
  const troubles: string[] = []
  const children = new Map<Role, Child>()
  const deaths = new Set<() => void>()
  let kills = 0
  let closing = false
  let readers: { payer: Journal; node: Journal } | undefined

  const ears = connectRelays({ urls: [relay.url], keys, clock })
  ears.listen([{ kinds: [textResult.number] }], {
    onEvent(event) {
      const job = referencesOf(event)[0] ?? ''
      results.set(job, (results.get(job) ?? new Set()).add(event.id))
    },
  })

  const onNews = (role: Role) => (news: News) => {
    const outcome = news['outcome'] as Ended | undefined
    if (outcome) outcomes.set(outcome.job, outcome)
    if (news['broken']) accidents.push(`${role}: ${news['broken']}`)
    if (news['trouble']) troubles.push(String(news['trouble']))
  }
  const begin = (role: Role, death?: Death): Child => {
    const setting = { role, folder, url: relay.url, pace, secrets, priceMsats: PRICE, metered }
    const child = startChild({ ...setting, ...(plant && { plant }), ...(death && { death }) }, cache, onNews(role))
    children.set(role, child)
    void child.ended.then(how => {
      if (closing) return
      if (how === 'SIGKILL') kills++
      else accidents.push(`${role} ended by itself: ${how}`)
      for (const one of deaths) one()
    })
    return child
  }
  const of = (role: Role): Child => {
    const child = children.get(role)
    if (!child) throw new Error(`no ${role}`)
    return child
  }
  const anyDead = () => ROLES.some(role => !of(role).alive)
  const death = () =>
    new Promise<void>(resolve => {
      if (anyDead()) return resolve()
      const done = () => {
        deaths.delete(done)
        resolve()
      }
      deaths.add(done)
    })

  const startAll = async () => {
    for (const role of ['wallet', 'node', 'payer'] as const) await begin(role).ready
  }
  await startAll()

  async function quiet(recovery?: (role: Role) => Death | undefined): Promise<boolean> {
    let late = () => {}
    let over = false
    const limit = new Promise<void>(resolve => {
      late = resolve
    })
    const timer = setTimeout(() => {
      over = true
      late()
    }, patienceMs)
    try {
      while (!over && accidents.length === 0) {
        const dead = ROLES.filter(role => !of(role).alive)
        await Promise.race([Promise.all(dead.map(role => begin(role, recovery?.(role)).ready)), limit])
        if (anyDead()) continue
        const still = async () => {
          for (const role of ['payer', 'node', 'wallet', 'payer'] as const) await of(role).ask('quiet')
          return true
        }
        const done = await Promise.race([still(), death().then(() => false), limit.then(() => false)])
        if (done && !anyDead()) return true
      }
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    get kills() {
      return kills
    },
    ...{ outcomes, results, accidents, troubles, death, quiet },
    journals() {
      readers ??= {
        payer: openJournal(join(folder, 'payer.sqlite'), { readOnly: true }),
        node: openJournal(join(folder, 'node.sqlite'), { readOnly: true }),
      }
      return readers
    },
    books: async limit => (await of('wallet').ask('books', { limit })) as Books | undefined,
    arm: async (role, order) => void (await of(role).ask('arm', { death: order })),
    crossed: async role => ((await of(role).ask('crossed')) as readonly string[] | undefined) ?? [],
    ask: async (text, terms) => void (await of('payer').ask('ask', { text, ...(terms && { terms }) })),
    async close() {
      closing = true
      readers?.payer.close()
      readers?.node.close()
      await Promise.all([...children.values()].map(one => one.stop()))
      await ears.close()
      await relay.close()
    },
  }
}
