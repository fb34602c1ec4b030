/** What leaves while an answer grows: frames and parts for who asks for them, mended where they got lost, in its scheme. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyRequest, type Event, feedback, frame, jobIdOf, schemeOf, streamControl } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { openHidden, type Scheme } from './node-hidden.ts'
import { keys, openTown } from './node-world.ts'

const digest = (text: string): string => sha256Hex(new TextEncoder().encode(text))
const long = Array.from({ length: 120 }, (_, i) => `word${i}`).join(' ')
/** Twelve seconds of words. */
const slow = { priceMsats: 0n, echo: { pieceMs: 100 } }

async function ask(scheme: Scheme, more: Partial<AnyRequest>, wrapped = false) {
  const town = openTown()
  const node = await town.open(slow)
  const customer = openHidden(town)
  const job = customer.request(long, scheme, wrapped ? { ...more, privacy: 2 } : more)
  if (wrapped) customer.wrap(job)
  else customer.send(job)
  const heard = () => customer.heard(job, wrapped ? customer.inWraps() : undefined)
  const result = await town.until('the result', () => heard().results[0]?.value)
  await node.close()
  return { town, customer, job, heard: heard(), result }
}

const parts = (words: readonly { status: string; content: string }[]): string[] =>
  words.filter(({ status }) => status === 'partial').map(({ content }) => content)

describe('frames', () => {
  test.each<[Scheme, boolean]>([
    ['plain', false],
    ['nip44', false],
    ['nip04', false],
    ['nip44', true],
    ['plain', true],
  ])('are the answer, and the last one says so: %s, wrapped %s', async (scheme, wrapped) => {
    const { heard, result, town, job } = await ask(scheme, {}, wrapped)
    const frames = [...new Map(heard.frames.map(one => [one.seq, one])).values()]
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map((_, i) => i))
    expect(digest(frames.map(({ text }) => text).join(''))).toBe(digest(result.text))
    expect(heard.frames.filter(({ last }) => last).map(({ seq }) => seq)).toEqual([frames.length - 1])
    expect(frames.length).toBeGreaterThan(50)
    expect(parts(heard.words)).toEqual([])
    if (wrapped || scheme === 'plain') return
    // In the scheme of the request, and nothing of it readable.
    const mine = town.seen.filter(event => event.pubkey === town.me && jobIdOf(event) === job.id)
    expect(new Set(mine.map(({ content }) => schemeOf(content)))).toEqual(new Set([scheme]))
    expect(mine.some(event => JSON.stringify(event).includes('word'))).toBe(false)
  })

  test('do not come unasked, and neither do parts', async () => {
    const { heard } = await ask('nip44', { stream: false })
    expect(heard.frames).toEqual([])
    expect(parts(heard.words)).toEqual([])
  })

  test.each([true, false])(
    'parts come to who asks for them, whole and every 1 to 2 s; with frames: %s',
    async stream => {
      const { heard, result, town, job } = await ask('nip44', { stream, partial: true })
      const shown = parts(heard.words)
      expect(shown.length).toBeGreaterThanOrEqual(6)
      expect(shown.length).toBeLessThanOrEqual(12)
      for (const [i, text] of shown.entries()) {
        expect(result.text.startsWith(text)).toBe(true)
        expect(text.length).toBeGreaterThan(shown[i - 1]?.length ?? 0)
      }
      expect(heard.frames.length > 0).toBe(stream)
      const mine = town.seen.filter(event => event.kind === feedback.number && jobIdOf(event) === job.id)
      expect(mine.every(({ content }) => schemeOf(content) === 'nip44')).toBe(true)
    },
  )

  test('wait for a relay that does not answer, and are all there at the end', async () => {
    const town = openTown()
    const node = await town.open(slow)
    const customer = openHidden(town)
    const job = customer.send(customer.request(long, 'nip44'))
    const sent = () => town.seen.filter(event => event.kind === frame.number && jobIdOf(event) === job.id)
    await town.until('a frame', () => sent()[1])
    const before = sent().length
    town.hub.down()
    await town.clock.advance(4_000)
    town.hub.up()
    await town.until('the next', () => (sent().length > before ? true : undefined))
    expect(sent().length - before).toBeLessThanOrEqual(5)
    const result = await town.until('the result', () => customer.heard(job).results[0]?.value)
    const frames = new Map(customer.heard(job).frames.map(one => [one.seq, one.text]))
    const inOrder = [...frames].sort(([a], [b]) => a - b).map(([, text]) => text)
    expect(digest(inOrder.join(''))).toBe(digest(result.text))
    await node.close()
  })
})

describe('who misses frames', () => {
  test.each<[Scheme, boolean]>([
    ['plain', false],
    ['nip44', false],
    ['nip44', true],
  ])('gets them again, as events of their own: %s, wrapped %s', async (scheme, wrapped) => {
    const town = openTown()
    const node = await town.open(slow)
    const customer = openHidden(town)
    const job = customer.request(long, scheme, wrapped ? { privacy: 2 } : {})
    const send = wrapped ? customer.wrap : customer.send
    send(job)
    const heard = () => customer.heard(job, wrapped ? customer.inWraps() : undefined).frames
    await town.until('some frames', () => heard()[9])
    const wish = (own: Uint8Array, from: number): Event => {
      const value = { job: job.id, to: town.me, ask: 'resend' as const, from }
      const encrypt = scheme === 'plain' ? undefined : (text: string) => customer.seal.encrypt(town.me, text)
      return keys.sign(streamControl.write(value, seconds(town.clock), encrypt), own)
    }
    const known = heard().length
    // Not for others, and not for a place that is still to come.
    customer.send(
      keys.sign(
        streamControl.write({ job: job.id, to: town.me, ask: 'resend', from: 0 }, seconds(town.clock)),
        keys.newSecret(),
      ),
    )
    send(wish(customer.own, 900))
    await town.clock.advance(50)
    expect(heard().length).toBeLessThanOrEqual(known + 1)
    send(wish(customer.own, 3))
    const again = await town.until('them again', () => {
      const late = heard().slice(known)
      return [3, 4, 5].every(seq => late.some(one => one.seq === seq)) ? late : undefined
    })
    expect(again.some(({ seq }) => seq < 3)).toBe(false)
    const texts = new Map<number, Set<string>>()
    for (const { seq, text } of heard()) texts.set(seq, (texts.get(seq) ?? new Set()).add(text))
    expect([...texts.values()].every(of => of.size === 1)).toBe(true)
    const ids = town.seen.filter(({ kind }) => kind === frame.number).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    await town.until('the result', () => customer.heard(job, wrapped ? customer.inWraps() : undefined).results[0])
    await node.close()
  })
})

test('the request in an answer is the request as it came, whatever was in it, and none where it came in a wrap', async () => {
  const town = openTown()
  const node = await town.open({ priceMsats: 0n, limits: { requestsPerMinute: 1e9, jobs: 1_000 } })
  const cases = fc.record({
    text: fc.stringMatching(/^[a-z]{12}[ "\\\n{}a-z]{0,20}$/),
    scheme: fc.constantFrom<Scheme>('plain', 'nip04', 'nip44'),
    wrapped: fc.boolean(),
    stop: fc.stringMatching(/^[A-Z]{12}$/),
  })
  await fc.assert(
    fc.asyncProperty(cases, async ({ text, scheme, wrapped, stop }) => {
      const customer = openHidden(town)
      const job = customer.request(text, scheme, { stop: [stop], ...(wrapped ? { privacy: 2 } : {}) })
      const from = town.seen.length
      if (wrapped) customer.wrap(job)
      else customer.send(job)
      const look = () => customer.heard(job, wrapped ? customer.inWraps() : town.seen.slice(from)).results[0]
      const { event, value } = await town.until('the result', look)
      expect(value.request).toBe(wrapped ? undefined : JSON.stringify(job))
      expect(event.tags.some(([name]) => name === 'request')).toBe(!wrapped)
      const outside = JSON.stringify(town.seen.slice(from))
      const secret = wrapped || scheme !== 'plain'
      for (const word of [text.slice(0, 12), stop]) expect(outside.includes(word)).toBe(!secret)
      town.seen.length = 0
    }),
    { numRuns: 300 },
  )
  await node.close()
})
