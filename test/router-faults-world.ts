/** A router's book among the people of the world of faults: who accuses whom, and what came of it. */
import {
  type Event,
  type FaultEvidence,
  type FaultVerdict,
  faultEvidence,
  faultVerdict,
  handler,
  nodeState,
  priceSheet,
  textRequest,
} from '../kinds/index.ts'
import { defaultParams, paramsHash } from '../src/ledger/index.ts'
import type { BookOptions } from '../src/router/book.ts'
import { announced } from './faults-proven.ts'
import { digest, pub, secretOf, sign } from './faults-world.ts'
import { bookWorld, keys } from './router-book-world.ts'

const read = handler.read(announced)

export type FaultsWorld = Awaited<ReturnType<typeof faultsWorld>>

export async function faultsWorld(options: Pick<BookOptions, 'trusted' | 'sampled'> = {}) {
  const world = await bookWorld({ stakeRef: 1_000, ...options })
  const now = world.now
  /** Announces nodes of the world of faults and says that they are alive. */
  function nodes(...names: string[]) {
    for (const name of names) {
      if (!read.ok) throw new Error('an announcement that cannot be read')
      const models = [{ name: 'nano', contextTokens: 2_048 }]
      world.hear(sign(handler, { ...read.value, models, priceMsats: 1_000n }, name, now()))
      const slots = { total: 4, busy: 0, queued: 0 }
      const state = {
        service: 'text',
        kinds: [textRequest.number],
        slots,
        prices: [],
        generation: 1,
        expiresAt: now() + 999,
      }
      world.hear(sign(nodeState, state, name, now()))
    }
  }
  function routers(...names: string[]) {
    for (const name of names) {
      const sheet = {
        ...{ id: 'gridstr', rows: [], feeMsats: 0n, policy: 'default', params: paramsHash(defaultParams) },
        ...{ commit: { seq: 0, hash: digest('c') }, service: pub(name), relays: [], expiresAt: now() + 600 },
      }
      world.hear(sign(priceSheet, sheet, name, now()))
    }
  }
  let accusations = 0
  function accusing(
    rule: string,
    events: readonly Event[],
    change: Partial<FaultEvidence> = {},
    by = `accuser ${accusations++}`,
  ): Event {
    const value = { rule, accused: pub('node'), events: [...events], opened: {}, says: '', ...change }
    return keys.sign(faultEvidence.write(value, now()), secretOf(by))
  }
  const verdicts = (by = world.pubkey): (FaultVerdict & { readonly id: string })[] => {
    const seen = new Map(world.published.map(event => [event.id, event]))
    return [...seen.values()].flatMap(event => {
      const said = event.kind === faultVerdict.number && event.pubkey === by ? faultVerdict.read(event) : undefined
      return said?.ok ? [{ ...said.value, id: event.id }] : []
    })
  }
  const accused: Event[] = []
  /** Lets everything be judged that was heard: hashes and ciphers are real, and take their own time. */
  async function judged() {
    await world.book.judged()
    await world.settle(10)
  }
  return {
    ...world,
    get book() {
      return world.book
    },
    /** With people of its own. */
    world,
    ...{ nodes, routers, accusing, verdicts, judged },
    async accuse(...args: Parameters<typeof accusing>) {
      const event = accusing(...args)
      accused.push(event)
      world.hear(event)
      await judged()
      return event
    },
    /** Everything that somebody was accused with. */
    heard: () => accused,
    faults: () => world.labels().filter(({ code }) => code !== undefined && /^E\d/.test(code)),
    stage: (name: string) => world.book.scored(pub(name), textRequest.number, 'nano', now()).stage,
    evidence: () => {
      const found = new Map(world.published.map(event => [event.id, event]))
      return [...found.values()].flatMap(event => {
        const said =
          event.kind === faultEvidence.number && event.pubkey === world.pubkey ? faultEvidence.read(event) : undefined
        return said?.ok ? [said.value] : []
      })
    },
  }
}
