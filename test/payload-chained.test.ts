/** Inputs that point to other jobs and to events: what a node takes for their text, and for whom. */
import { describe, expect, test } from 'vitest'
import {
  type Event,
  feedback,
  type Input,
  type TextRequest,
  textInput,
  textRequest,
  textResult,
} from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { openInputs } from '../src/node/inputs.ts'
import { packResult } from '../src/node/large.ts'
import { type Person, payloadWorld } from './payload-world.ts'

const relay = 'ws://memory'

async function chain() {
  const time = handClock()
  const at = Math.floor(time.now() / 1000)
  const world = await payloadWorld(time, {})
  const { keys, hub } = world
  const [customer, first, node] = [world.person(), world.person(), world.person()]
  const board = hub.connect()
  const say = async (event: Event) => {
    void board.publish(event)
    await time.advance(1)
    return event
  }
  const ask = (options: { by?: Person; to?: Person | undefined; sealed?: boolean } = {}) => {
    const { by = customer, to = first, sealed = false } = options
    const providers = 'to' in options && !options.to ? [] : [to.pubkey]
    const request: TextRequest = { inputs: [textInput('go')], relays: [], providers, stream: false, receipt: false }
    const encrypt = (text: string) => by.seal.encrypt(to.pubkey, text)
    return say(keys.sign(textRequest.write(request, at, ...(sealed ? [encrypt] : [])), by.secret))
  }
  const answer = (request: Event, text: string, options: { by?: Person; sealed?: boolean; chunked?: string } = {}) => {
    const { by = first, sealed = false, chunked } = options
    const value = { job: request.id, customer: request.pubkey, text, ...(chunked === undefined ? {} : { chunked }) }
    const encrypt = (plain: string) => by.seal.encrypt(request.pubkey, plain)
    return say(keys.sign(textResult.write(value, at, ...(sealed ? [encrypt] : [])), by.secret))
  }
  const inputs = openInputs({
    ...{ relays: node.relays, keys, clock: time, payloads: node.payloads, me: node.pubkey },
    limits: { waiting: 2, references: 3, bytesPerJob: 200_000 },
  })
  const resolve = async (list: readonly Input[], author = customer.pubkey) => {
    const asked = inputs.resolve(list, { author, decrypt: node.seal.decrypt })
    await time.advance(31_000)
    return asked
  }
  const job = (event: Event): Input => ({ data: event.id, type: 'job', relay })
  return { ...world, time, at, customer, first, node, say, ask, answer, inputs, resolve, job }
}

describe('the output of another job', () => {
  test('is that of the provider that it names, with its marker and in its place', async () => {
    const { ask, answer, resolve, job, person, time } = await chain()
    const request = await ask()
    await answer(request, 'not mine to say', { by: person() })
    await answer(request, 'forty-two')
    await time.advance(1)
    expect(await resolve([textInput('before'), { ...job(request), marker: 'query' }])).toEqual({
      ok: true,
      inputs: [textInput('before'), { data: 'forty-two', type: 'text', marker: 'query' }],
    })
  })

  test('is waited for, and not longer than it may take', async () => {
    const { ask, answer, inputs, job, time, customer, node } = await chain()
    const request = await ask()
    const who = { author: customer.pubkey, decrypt: node.seal.decrypt }
    const [one, two, three] = [1, 2, 3].map(() => inputs.resolve([job(request)], who))
    expect(await three).toMatchObject({ ok: false, rule: 'payload.busy' })
    await time.advance(20_000)
    await answer(request, 'at last')
    expect(await one).toMatchObject({ ok: true, inputs: [{ data: 'at last' }] })
    expect(await two).toMatchObject({ ok: true })
    const late = inputs.resolve([job(await ask({ by: node }))], who)
    await time.advance(29_000)
    await time.advance(2_000)
    expect(await late).toMatchObject({
      ok: false,
      rule: 'job-input.unanswered',
      says: expect.stringContaining('as an input'),
    })
    expect(time.waiting).toBe(0)
  })

  test('ends early when its provider says that it failed, and not when anybody else does', async () => {
    const { ask, say, keys, at, first, person, customer, inputs, job, time, node } = await chain()
    const request = await ask()
    const who = { author: customer.pubkey, decrypt: node.seal.decrypt }
    const asked = inputs.resolve([job(request)], who)
    const fails = (by: Person) =>
      say(
        keys.sign(
          feedback.write({ job: request.id, customer: customer.pubkey, status: 'error', says: 'no', content: '' }, at),
          by.secret,
        ),
      )
    let isOver = false
    void asked.then(() => {
      isOver = true
    })
    await fails(person())
    await time.advance(1_000)
    expect(isOver).toBe(false)
    await fails(first)
    expect(await asked).toMatchObject({ rule: 'job-input.unanswered', says: expect.stringContaining('it failed') })
  })

  test('that names no provider, is of no kind of ours or is nowhere is refused', async () => {
    const { ask, say, keys, at, customer, resolve, job } = await chain()
    expect(await resolve([job(await ask({ to: undefined }))])).toMatchObject({ rule: 'job-input.provider' })
    const note = await say(keys.sign({ kind: 1, created_at: at, tags: [], content: 'a note' }, customer.secret))
    expect(await resolve([job(note)])).toMatchObject({ rule: 'job-input.kind' })
    expect(await resolve([{ data: 'ab'.repeat(32), type: 'job', relay }])).toMatchObject({ rule: 'job-input.missing' })
  })

  test('that is sealed is opened for whoever asked it of us, and for nobody else', async () => {
    const { ask, answer, resolve, job, node, person } = await chain()
    const request = await ask({ to: node, sealed: true })
    await answer(request, 'between us', { by: node, sealed: true })
    expect(await resolve([job(request)])).toMatchObject({ ok: true, inputs: [{ data: 'between us' }] })
    expect(await resolve([job(request)], person().pubkey)).toMatchObject({ rule: 'job-input.sealed' })
    const foreign = await ask({ sealed: true })
    await answer(foreign, 'between them', { sealed: true })
    expect(await resolve([job(foreign)])).toMatchObject({ rule: 'job-input.sealed' })
  })

  test('that came in chunks is fetched, within the bound', async () => {
    const { ask, answer, resolve, job, first, node, at, time } = await chain()
    const packed = async (text: string, by: Person, to?: string) => {
      const put = packResult(text, {
        ...{ payloads: by.payloads, secret: by.secret, expiresAt: at + 3_600 },
        ...(to === undefined ? { carried: 'open' as const } : { carried: 'sealed' as const, to }),
      })
      await time.advance(10)
      const done = await put
      if (!done.ok || done.chunked === undefined) throw new Error('not in chunks')
      return { text: done.text, chunked: done.chunked }
    }
    const request = await ask()
    const { text, chunked } = await packed('x'.repeat(150_000), first)
    await answer(request, text, { chunked })
    expect(await resolve([job(request)])).toEqual({ ok: true, inputs: [textInput('x'.repeat(150_000))] })
    expect(await resolve([job(request), job(request)])).toMatchObject({ rule: 'payload.size' })
    const own = await ask({ to: node, sealed: true })
    const mine = await packed('y'.repeat(150_000), node, own.pubkey)
    await answer(own, mine.text, { by: node, sealed: true, chunked: mine.chunked })
    expect(await resolve([job(own)])).toEqual({ ok: true, inputs: [textInput('y'.repeat(150_000))] })
  })
})

describe('the content of an event', () => {
  test('is its text; a sealed one, a missing one and a large one are refused', async () => {
    const { say, keys, at, customer, resolve } = await chain()
    const note = (content: string, tags: string[][] = []) =>
      say(keys.sign({ kind: 1, created_at: at, tags, content }, customer.secret))
    const input = (event: Event): Input => ({ data: event.id, type: 'event', relay })
    expect(await resolve([input(await note('a note'))])).toEqual({ ok: true, inputs: [textInput('a note')] })
    expect(await resolve([input(await note('a note', [['encrypted']]))])).toMatchObject({ rule: 'job-input.sealed' })
    expect(await resolve([input(await note('é'.repeat(100_001)))])).toMatchObject({ rule: 'job-input.size' })
    const gone = await note('gone', [['expiration', String(at + 1)]])
    expect(await resolve([input(gone)])).toMatchObject({ rule: 'job-input.missing' })
  })

  test('and no more of them than a job may name', async () => {
    const { say, keys, at, customer, resolve, inputs } = await chain()
    const note = await say(keys.sign({ kind: 1, created_at: at, tags: [], content: 'n' }, customer.secret))
    const input: Input = { data: note.id, type: 'event', relay }
    expect(await resolve([input, input, input])).toMatchObject({ ok: true })
    expect(await resolve([input, input, input, input])).toMatchObject({ rule: 'payload.references' })
    expect(inputs.isPlain([textInput('a')])).toBe(true)
    expect(inputs.isPlain([input])).toBe(false)
  })
})
