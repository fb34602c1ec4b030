/** What is too large for one event on its way through a request and a result: packed by one side, unpacked by the other. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Event,
  type Input,
  messagesInput,
  type TextResult,
  textInput,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { packInputs, unpackResult } from '../src/client/large.ts'
import { openUnpacking, packResult } from '../src/node/large.ts'
import { clock, expiresAt, noise, payloadWorld } from './payload-world.ts'

const at = expiresAt - 3_600
const relay = 'ws://memory'
const mostBytes = 20_000_000

async function two() {
  const world = await payloadWorld(clock, {})
  const [client, node] = [world.person(), world.person()]
  const pack = (inputs: readonly Input[], carried: 'open' | 'sealed' | 'wrapped' = 'sealed') =>
    packInputs(inputs, {
      ...{ payloads: client.payloads, secret: client.secret, to: node.pubkey, expiresAt, carried, relay },
    })
  const who = { author: client.pubkey, decrypt: node.seal.decrypt }
  return { ...world, client, node, pack, who }
}

const chars = (count: number, of = 'x') => of.repeat(count)
const bytesOf = (event: Event) => new TextEncoder().encode(JSON.stringify(event)).length

describe('inputs', () => {
  test('that fit stay as they are', async () => {
    const { pack, seen } = await two()
    const inputs = [textInput('short'), messagesInput([{ role: 'user', content: 'hello' }])]
    expect(await pack(inputs)).toEqual({ ok: true, inputs, puts: [] })
    expect(seen).toEqual([])
  })

  test('the largest go ahead in chunks and come back in their places with their markers', async () => {
    const { pack, node, who, client, keys } = await two()
    const talk = messagesInput([{ role: 'user', content: chars(90_000, 'ö"\n') }])
    const inputs = [
      textInput('first'),
      talk,
      textInput(chars(50_000)),
      { data: 'of what?', type: 'text', marker: 'query' },
    ] as const
    const packed = await pack(inputs)
    if (!packed.ok) throw new Error(packed.says)
    expect(packed.inputs.map(({ type, marker }) => [type, marker])).toEqual([
      ['text', undefined],
      ['event', 'chunked messages'],
      ['event', 'chunked'],
      ['text', 'query'],
    ])
    // Through the request as it is written, sealed and read.
    const request = { inputs: packed.inputs, relays: [relay], providers: [node.pubkey], stream: false, receipt: false }
    const event = keys.sign(
      textRequest.write(request, at, text => client.seal.encrypt(node.pubkey, text)),
      client.secret,
    )
    const read = textRequest.read(event, node.seal.decrypt(client.pubkey, event.content))
    if (!read.ok) throw new Error(read.says)
    const unpacking = openUnpacking({ payloads: node.payloads, clock })
    expect(await unpacking.unpack(read.value.inputs, who)).toEqual({ ok: true, inputs })
    expect(unpacking).toMatchObject({ fetches: 0, bytesInFlight: 0 })
  })

  test.each(['open', 'sealed', 'wrapped'] as const)(
    'a packed request that is carried %s stays within an event of 64 KiB',
    async carried => {
      const { pack, node, client, keys } = await two()
      const unit = fc.constantFrom('a', '"', 'é', '\n', '漢', ' ')
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.string({ unit, maxLength: 30 }), fc.nat({ max: 900 })), { minLength: 1, maxLength: 12 }),
          async list => {
            const inputs = list.map(([text, times]) => textInput(text.repeat(times) || '-'))
            const packed = await pack(inputs, carried)
            if (!packed.ok) throw new Error(packed.says)
            const encrypt = (text: string) => client.seal.encrypt(node.pubkey, text)
            const request = {
              inputs: packed.inputs,
              relays: [relay],
              providers: [node.pubkey],
              stream: true,
              receipt: true,
            }
            const event = keys.sign(
              textRequest.write(request, at, ...(carried === 'open' ? [] : [encrypt])),
              client.secret,
            )
            expect(bytesOf(event)).toBeLessThanOrEqual(carried === 'wrapped' ? 40_960 : 65_536)
          },
        ),
        { numRuns: carried === 'open' ? 40 : 80 },
      )
    },
  )

  test('a put that fails is said, and a sealed one without a reader is a bug', async () => {
    const { client, hub } = await two()
    hub.down()
    const how = { payloads: client.payloads, secret: client.secret, expiresAt, relay, timeMs: 20 }
    const inputs = [textInput(chars(70_000))]
    expect(await packInputs(inputs, { ...how, carried: 'open' })).toMatchObject({
      ok: false,
      rule: 'payload.unreachable',
    })
    await expect(packInputs(inputs, { ...how, carried: 'sealed' })).rejects.toThrow(TypeError)
  })
})

describe('a node fetches inputs within bounds', () => {
  const large = [textInput(chars(60_000)), textInput(chars(50_000, 'y'))]

  test('a job that brings too much is refused before a chunk is fetched', async () => {
    const { pack, node, who } = await two()
    const packed = await pack(large)
    const inputs = packed.ok ? packed.inputs : []
    let fetched = 0
    const payloads = {
      look: node.payloads.look,
      fetch(...how: Parameters<typeof node.payloads.fetch>) {
        fetched++
        return node.payloads.fetch(...how)
      },
    }
    const refused = await openUnpacking({ payloads, clock, limits: { bytesPerJob: 109_999 } }).unpack(inputs, who)
    expect(refused).toMatchObject({ ok: false, rule: 'payload.size' })
    expect(fetched).toBe(0)
    expect(
      await openUnpacking({ payloads, clock, limits: { bytesPerJob: 110_000 } }).unpack(inputs, who),
    ).toMatchObject({ ok: true })
  })

  test('what is on its way is bounded for all together, and free again afterwards', async () => {
    const { pack, node, who } = await two()
    const packed = await pack(large)
    const inputs = packed.ok ? packed.inputs : []
    const small = openUnpacking({ payloads: node.payloads, clock, limits: { bytesInFlight: 150_000, fetches: 2 } })
    const all = await Promise.all([1, 2, 3].map(() => small.unpack(inputs, who)))
    expect(all.filter(one => one.ok)).toHaveLength(1)
    for (const one of all.filter(other => !other.ok)) expect(one).toMatchObject({ rule: 'payload.busy' })
    expect(small).toMatchObject({ fetches: 0, bytesInFlight: 0 })
    const one = openUnpacking({ payloads: node.payloads, clock, limits: { fetches: 1 } })
    const both = await Promise.all([1, 2].map(() => one.unpack(inputs, who)))
    expect(both.map(({ ok }) => ok)).toEqual([true, false])
    expect(await small.unpack(inputs, who)).toMatchObject({ ok: true })
  })

  test('a sealed payload that another customer put is not opened for a stranger', async () => {
    const { pack, node, who, person } = await two()
    const packed = await pack(large)
    const unpacking = openUnpacking({ payloads: node.payloads, clock })
    const stranger = { ...who, author: person().pubkey }
    expect(await unpacking.unpack(packed.ok ? packed.inputs : [], stranger)).toMatchObject({
      ok: false,
      rule: 'payload.author',
    })
    const open = await pack(large, 'open')
    expect(await unpacking.unpack(open.ok ? open.inputs : [], stranger)).toMatchObject({ ok: true })
  })

  test('bytes that are no text are refused, and one that is missing too', async () => {
    const { client, node, who } = await two()
    const put = await client.payloads.put(noise(100), { secret: client.secret, expiresAt })
    const unpacking = openUnpacking({ payloads: node.payloads, clock, limits: { timeMs: 30 } })
    const input = (data: string): Input => ({ data, type: 'event', relay, marker: 'chunked' })
    expect(await unpacking.unpack([input(put.ok ? put.id : '')], who)).toMatchObject({ rule: 'payload.text' })
    expect(await unpacking.unpack([input('ab'.repeat(32))], who)).toMatchObject({ rule: 'payload.manifest' })
    expect(unpacking).toMatchObject({ fetches: 0, bytesInFlight: 0 })
  })
})

describe('results', () => {
  const answer = async (text: string, carried: 'open' | 'sealed') => {
    const { client, node, keys } = await two()
    const packed = await packResult(text, {
      ...{ payloads: node.payloads, secret: node.secret, expiresAt, carried },
      ...(carried === 'open' ? {} : { to: client.pubkey }),
    })
    if (!packed.ok) throw new Error(packed.says)
    const { ok: _, ...said } = packed
    const value: TextResult = { job: 'ab'.repeat(32), customer: client.pubkey, ...said }
    const encrypt = (plain: string) => node.seal.encrypt(client.pubkey, plain)
    const event = keys.sign(textResult.write(value, at, ...(carried === 'open' ? [] : [encrypt])), node.secret)
    expect(bytesOf(event)).toBeLessThanOrEqual(65_536)
    const opened = event.tags.some(tag => tag[0] === 'encrypted')
      ? client.seal.decrypt(node.pubkey, event.content)
      : undefined
    const read = textResult.read(event, opened)
    if (!read.ok) throw new Error(read.says)
    const how = { payloads: client.payloads, author: node.pubkey, decrypt: client.seal.decrypt, mostBytes }
    return { said, read: read.value, got: await unpackResult(read.value, how), how }
  }

  test.each(['open', 'sealed'] as const)('of any length come back, %s', async carried => {
    for (const length of [1, 40_960, 40_961, 57_950, 200_000]) {
      const text = chars(length, '"')
      const { said, got } = await answer(text, carried)
      expect(said.chunked === undefined).toBe(carried === 'open' ? length * 2 + 2 <= 57_952 : length <= 40_960)
      expect(got).toMatchObject({ ok: true, value: { text } })
    }
  })

  test('of another author are no answer, and too large ones are refused', async () => {
    const { read, how } = await answer(chars(100_000), 'open')
    expect(await unpackResult(read, { ...how, author: read.customer })).toMatchObject({ rule: 'payload.author' })
    expect(await unpackResult(read, { ...how, mostBytes: 99_999 })).toMatchObject({ rule: 'payload.size' })
    expect(await unpackResult({ ...read, digest: 'ab'.repeat(32) }, how)).toMatchObject({ rule: 'payload.digest' })
  })
})
