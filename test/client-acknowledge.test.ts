/** What a client says publicly of routed jobs: the truth, once for each, and never what opens a held answer for others. */
import { describe, expect, test } from 'vitest'
import { acknowledgement, type Event, usageReceipt } from '../kinds/index.ts'
import { acknowledge } from '../src/client/acknowledge.ts'
import { fromHex, sha256Hex } from '../src/hash.ts'
import { askInOrder as ask, type Grid, type GridNodeOptions, withGrid, words } from './client-grid.ts'
import { keeps } from './promises.ts'
import { memoryWorld, type World } from './worlds.ts'

const within = (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) =>
  withGrid(memoryWorld, nodes, body)
const saidIn = ({ seen }: World) =>
  seen
    .filter(({ kind }) => kind === acknowledgement.number)
    .map(event => {
      const read = acknowledgement.read(event)
      if (!read.ok) throw new Error(read.says)
      return { ...read.value, by: event.pubkey }
    })

describe('acknowledgements', () => {
  keeps('proof.preimage', 'an answer: ok, what it cost, the preimage, the route and the receipt of the node', () =>
    within([{}], async (grid, world) => {
      const outcome = await ask(grid, [0])
      const [said, ...more] = saidIn(world)
      expect(more).toEqual([])
      const [attempt] = outcome.attempts
      expect(said).toMatchObject({
        verdict: 'ok',
        node: attempt?.node,
        job: attempt?.job,
        msats: 2_000n,
        by: grid.client.pubkey,
      })
      const [payment] = said?.payments ?? []
      expect(sha256Hex(fromHex(payment?.preimage ?? ''))).toBe(payment?.hash)
      expect(said?.routing).toBe(outcome.route.routers[0]?.id)
      const receipt = world.seen.find(({ kind }) => kind === usageReceipt.number)
      expect(said?.receipt).toBe(receipt?.id)
      // The job itself says what it rests on, although it is sealed.
      const job = world.seen.find(({ id }) => id === attempt?.job)
      expect(job?.tags).toContainEqual(['routing', said?.routing])
      expect(JSON.stringify(job)).not.toContain('twelve')
    }),
  )

  test('each that failed: why, and what it was paid; then the one that answered', () =>
    within([{ echo: { contextTokens: 4 } }, { echo: { fault: 'dies' } }, {}], async (grid, world) => {
      const outcome = await ask(grid, [0, 1, 2])
      expect(outcome.ok).toBe(true)
      const said = new Map(saidIn(world).map(one => [one.node, one]))
      const [first, second, third] = grid.nodes.map(({ pubkey }) => said.get(pubkey))
      expect(first).toMatchObject({ verdict: 'failed', code: 'too-long', msats: 0n, payments: [] })
      expect(second).toMatchObject({ verdict: 'failed', code: 'runner', msats: 2_000n })
      expect(third).toMatchObject({ verdict: 'ok', msats: 2_000n })
      expect(outcome.acknowledged).toHaveLength(3)
    }))

  test('parts: every payment of both nodes, each with its own', () =>
    within([{ echo: { pieceMs: 20 } }, {}], async (grid, world) => {
      const asking = ask(grid, [0, 1], { maxTokens: 12, terms: { word: 'parts', parts: 4 } })
      await grid.nodes[0]?.told('invoice', 3)
      await grid.nodes[0]?.kill()
      await asking
      const all = saidIn(world)
      expect(all.map(({ verdict }) => verdict).sort()).toEqual(['failed', 'ok'])
      expect(all.reduce((sum, { msats }) => sum + msats, 0n)).toBe(2_000n)
      const hashes = all.flatMap(({ payments }) => payments.map(({ hash }) => hash))
      expect(new Set(hashes).size).toBe(hashes.length)
      expect(hashes).toHaveLength(4)
    }))

  keeps('privacy.sealed', 'held money: the preimage is shown where the answer is sealed to us besides', () =>
    within([{}], async (grid, world) => {
      expect(await ask(grid, [0], { terms: { word: 'hold' } })).toMatchObject({ ok: true, text: words })
      expect(saidIn(world)[0]?.payments[0]?.preimage).toMatch(/^[0-9a-f]{64}$/)
      expect(JSON.stringify(world.seen)).not.toContain('eleven')
    }),
  )

  keeps('privacy.sealed', 'and never where the preimage alone would open it for everybody', () =>
    within([{}], async (grid, world) => {
      const { answered, attempts } = await ask(grid, [0], { terms: { word: 'hold' }, acknowledge: false })
      const [attempt] = attempts
      if (!answered?.result || !attempt) throw new Error('there is no answer')
      const relays = world.connect()
      const secret = world.keys.newSecret()
      const how = {
        relays,
        keys: world.keys,
        clock: world.clock,
        journal: grid.journal,
        secret,
        routing: 'ab'.repeat(32),
      }
      const { request, result, preimage } = answered
      const bare = ({ tags, ...event }: Event): Event => ({
        ...event,
        tags: tags.filter(([name]) => name !== 'encrypted'),
      })
      for (const open of [{ request: bare(request) }, { result: bare(result) }]) {
        await acknowledge(how, attempt, { ...answered, ...open })
        const said = saidIn(world).at(-1)
        expect(said).toMatchObject({ verdict: 'ok', payments: [{ hash: answered.job.order?.hash }] })
        expect(said?.payments[0]?.preimage).toBeUndefined()
      }
      expect(preimage).toBeDefined()
      const said = world.seen.filter(({ pubkey }) => pubkey === world.keys.publicKey(secret))
      expect(said).toHaveLength(2)
      expect(JSON.stringify(said)).not.toContain(preimage)
    }),
  )

  test('nothing is said of what no router chose, nor where it is not wished', () =>
    within([{}], async (grid, world) => {
      expect(await ask(grid, [0], { acknowledge: false })).toMatchObject({ ok: true, acknowledged: [] })
      const alone = await grid.client.askRouted({ text: words, routers: [], capMsats: 2_000n })
      expect(alone).toMatchObject({ ok: true, acknowledged: [], route: { by: 'own' } })
      expect(saidIn(world)).toEqual([])
    }))
})
