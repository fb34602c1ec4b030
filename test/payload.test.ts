/** Large payloads between two people over one relay in memory: what comes back, what is refused, what goes on. */
import { describe, expect, test } from 'vitest'
import { manifest } from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { clock, expiresAt, isManifest, memoryJournal, noise, payloadWorld, quick } from './payload-world.ts'

const most = { mostBytes: 1_000_000 }

describe('bytes come back as they were put', () => {
  test('in public, named by their digest', async () => {
    const { person, seen } = await payloadWorld()
    const [sender, reader] = [person(), person()]
    const put = await sender.payloads.put(noise(1_000), { secret: sender.secret, owner: reader.pubkey, expiresAt })
    if (!put.ok) throw new Error(put.says)
    expect(put.value).not.toHaveProperty('owner')
    expect(put.value).toMatchObject({ chunks: 16, bytes: 1_000, type: 'application/octet-stream' })
    expect(put.value.payload).toBe(put.value.sha256)
    expect(seen).toHaveLength(17)
    expect(await reader.payloads.get(put.id, { ...most, author: sender.pubkey })).toEqual({
      ok: true,
      bytes: noise(1_000),
    })
  })

  test('sealed: the relay sees neither the bytes, nor their digest, nor how many they are', async () => {
    const { person, seen } = await payloadWorld()
    const [sender, reader] = [person(), person()]
    const text = 'pomegranate!'.repeat(50)
    const put = await sender.payloads.put(text, { secret: sender.secret, to: reader.pubkey, expiresAt })
    if (!put.ok) throw new Error(put.says)
    expect(put.value.payload).not.toBe(put.value.sha256)
    const wire = JSON.stringify(seen)
    for (const trace of ['pomegranate', btoa('pomegranate!'), put.value.sha256, put.value.salt ?? '?', '"bytes"'])
      expect(wire).not.toContain(trace)
    const got = await reader.payloads.get(put.id, { ...most, decrypt: reader.seal.decrypt })
    expect(got.ok && new TextDecoder().decode(got.bytes)).toBe(text)
    expect(await person().payloads.get(put.id, { ...most, decrypt: person().seal.decrypt })).toMatchObject({
      rule: 'payload.sealed',
    })
  })

  test('whole events stay within what relays take, and indexed values too', async () => {
    const { person, seen } = await payloadWorld(clock, {})
    const [sender, reader] = [person(), person()]
    for (const to of [undefined, reader.pubkey]) {
      const put = await sender.payloads.put(noise(61_440), {
        ...{ secret: sender.secret, expiresAt, owner: reader.pubkey, type: 't'.repeat(128) },
        ...(to === undefined ? {} : { to }),
      })
      expect(put).toMatchObject({ ok: true, value: { chunks: 2 } })
    }
    expect(seen).toHaveLength(6)
    const utf8 = new TextEncoder()
    for (const event of seen) {
      expect(utf8.encode(JSON.stringify(event)).length).toBeLessThanOrEqual(65_536)
      for (const [, value = ''] of event.tags) expect(utf8.encode(value).length).toBeLessThanOrEqual(1_024)
    }
    expect(Math.max(...seen.map(event => JSON.stringify(event).length))).toBeGreaterThan(54_000)
  })

  test('a reader may begin before the sender has ended, and both are told how far it is', async () => {
    const { person } = await payloadWorld()
    const [sender, reader] = [person(), person()]
    const told: string[] = []
    const controller = new AbortController()
    const id = new Promise<string>(resolve => {
      void sender.relays.listen([{ kinds: [manifest.number] }], {
        admit: raw => raw as never,
        onEvent: event => resolve(event.id),
      })
    })
    const putting = sender.payloads.put(noise(5_000), {
      ...{ secret: sender.secret, expiresAt, signal: controller.signal },
      onProgress: ({ done, chunks }) => told.push(`put ${done}/${chunks}`),
    })
    const got = await reader.payloads.get(await id, {
      ...most,
      onProgress: ({ done, chunks }) => told.push(`got ${done}/${chunks}`),
    })
    expect(got).toEqual({ ok: true, bytes: noise(5_000) })
    expect(await putting).toMatchObject({ ok: true })
    expect(told.filter(one => one.startsWith('put'))).toHaveLength(79)
    expect(told.filter(one => one.startsWith('got'))).toHaveLength(79)
    expect(told).toContain('got 79/79')
  })

  test('signed by a key of one use that speaks for an owner', async () => {
    const { person, keys } = await payloadWorld()
    const [owner, reader, stranger] = [person(), person(), person()]
    const put = await owner.payloads.put('wrapped', {
      ...{ secret: keys.newSecret(), to: reader.pubkey, owner: owner.pubkey, expiresAt },
    })
    if (!put.ok) throw new Error(put.says)
    expect(put.manifest.pubkey).not.toBe(owner.pubkey)
    const how = { ...most, decrypt: reader.seal.decrypt }
    expect(await reader.payloads.get(put.id, { ...how, author: owner.pubkey })).toMatchObject({ ok: true })
    // Who only saw the id cannot have it opened for himself.
    expect(await reader.payloads.get(put.id, { ...how, author: stranger.pubkey })).toMatchObject({
      rule: 'payload.author',
    })
  })
})

describe('refused before anything is fetched', () => {
  test('more than is wanted', async () => {
    const { person } = await payloadWorld()
    const sender = person()
    const put = await sender.payloads.put(noise(500), { secret: sender.secret, expiresAt })
    const refusal = await person().payloads.get(put.ok ? put.id : '', { mostBytes: 499 })
    expect(refusal).toMatchObject({ ok: false, rule: 'payload.size' })
    expect(await person().payloads.get(put.ok ? put.id : '', { mostBytes: 500 })).toMatchObject({ ok: true })
  })

  test('what nobody has, after its time and with the way out', async () => {
    const time = handClock()
    const { person } = await payloadWorld(time)
    const asked = person().payloads.get('ab'.repeat(32), most)
    await time.advance(14_999)
    await time.advance(2)
    expect(await asked).toMatchObject({ rule: 'payload.manifest', says: expect.stringContaining('publish it there') })
    expect(time.waiting).toBe(0)
  })

  test('what has expired, on either side', async () => {
    const time = handClock()
    const { person } = await payloadWorld(time)
    const sender = person()
    const at = Math.floor(time.now() / 1000)
    expect(await sender.payloads.put('late', { secret: sender.secret, expiresAt: at })).toMatchObject({
      rule: 'payload.expired',
    })
  })
})

describe('a put that was interrupted goes on', () => {
  const interrupted = async (journal?: ReturnType<typeof memoryJournal>) => {
    const { person, seen } = await payloadWorld()
    const sender = person(journal ? { journal, limits: { ...quick, window: 1 } } : { limits: { ...quick, window: 1 } })
    const reader = person()
    const stop = new AbortController()
    const how = { secret: sender.secret, to: reader.pubkey, expiresAt }
    const first = await sender.payloads.put(noise(6_400), {
      ...how,
      at: expiresAt - 3_600,
      signal: stop.signal,
      onProgress: ({ done }) => done === 40 && stop.abort(),
    })
    expect(first).toMatchObject({ ok: false, rule: 'payload.unreachable', says: expect.stringContaining('40 of 100') })
    const before = seen.splice(0)
    const again = await sender.payloads.put(noise(6_400), { ...how, at: expiresAt - 3_600 })
    if (!again.ok) throw new Error(again.says)
    expect(await reader.payloads.get(again.id, { ...most, decrypt: reader.seal.decrypt })).toEqual({
      ok: true,
      bytes: noise(6_400),
    })
    return { before, after: seen, again }
  }

  test('with the same events and what is missing only, from its journal', async () => {
    const { before, after, again } = await interrupted(memoryJournal())
    expect(before.find(isManifest)?.id).toBe(again.id)
    expect(before).toHaveLength(41)
    expect(after).toHaveLength(61)
    const ids = new Set([...before, ...after].map(event => event.id))
    expect(ids.size).toBe(101)
  })

  test('with the same events from its first one, without a journal', async () => {
    const { before, after } = await interrupted()
    expect(after).toHaveLength(101)
    expect(before.filter(event => !after.some(other => other.id === event.id))).toEqual([])
  })

  test('a journal gives the times again, and lets go of what expired', async () => {
    const time = handClock()
    const journal = memoryJournal()
    const { person } = await payloadWorld(time)
    const sender = person({ journal })
    const lasts = (hours: number) => Math.floor(time.now() / 1000) + hours * 3_600
    const put = () => sender.payloads.put('again', { secret: sender.secret, expiresAt: lasts(4) })
    const first = await put()
    await time.advance(3_600_000)
    const second = await put()
    expect(first.ok && second.ok && first.id === second.id).toBe(true)
    // Less than half of the wanted time is left.
    await time.advance(2 * 3_600_000)
    const third = await put()
    expect(third.ok && first.ok && third.id !== first.id).toBe(true)
    expect(journal.shelf('payloads').size).toBe(1)
    await time.advance(5 * 3_600_000)
    await sender.payloads.put('other', { secret: sender.secret, expiresAt: lasts(1) })
    expect(journal.shelf('payloads').size).toBe(1)
  })
})

describe('relays that do not take it', () => {
  test('a relay that refuses for good ends the put with its words', async () => {
    const { person, keys, hub } = await payloadWorld()
    const sender = person({
      keys: {
        ...keys,
        sign: (template, secret) => {
          const event = keys.sign(template, secret)
          return isManifest(event) ? event : { ...event, sig: 'ab'.repeat(64) }
        },
      },
    })
    let offered = 0
    hub.watch(() => void offered++)
    expect(await sender.payloads.put(noise(640), { secret: sender.secret, expiresAt })).toMatchObject({
      rule: 'payload.refused',
      says: expect.stringContaining('invalid: bad signature'),
    })
    // Three times each of the eight that were on their way, and not one more.
    expect(offered).toBeLessThanOrEqual(1 + 8 * 3)
  })

  test('an outage on the way takes time only', async () => {
    const { person, hub } = await payloadWorld()
    const [sender, reader] = [person(), person()]
    const putting = sender.payloads.put(noise(6_400), {
      ...{ secret: sender.secret, expiresAt },
      onProgress: ({ done }) => {
        if (done !== 30) return
        hub.down()
        clock.after(30, hub.up)
      },
    })
    const put = await putting
    expect(await reader.payloads.get(put.ok ? put.id : '', most)).toEqual({ ok: true, bytes: noise(6_400) })
  })
})
