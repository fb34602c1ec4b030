/** A cancel stops the work within a piece, however it came, and nothing more is said, streamed or billed. */
import { describe, expect, test } from 'vitest'
import { cancel } from '../kinds/index.ts'
import { type Clock, seconds } from '../src/clock.ts'
import type { Runner } from '../src/runners/runner.ts'
import { openHidden } from './node-hidden.ts'
import { keys, openTown } from './node-world.ts'

const everyMs = 100

/** Says a word each tenth of a second, for ever, and counts them. A deaf one does not heed the signal. */
function counter(clock: Clock, deaf: boolean) {
  const made = { pieces: 0, stopped: false }
  let stop = () => {}
  const runner: Runner = {
    name: 'counter',
    kinds: [5050],
    models: async () => [{ name: 'm', contextTokens: 1_000, about: '' }],
    check: async () => ({ ok: true, model: 'm', promptTokens: 1, maxTokens: 900 }),
    run: (_work, emit, signal) =>
      new Promise((_, reject) => {
        const next = () => {
          made.pieces++
          emit(`w${made.pieces} `)
          stop = clock.after(everyMs, next)
        }
        next()
        if (deaf) return
        signal.addEventListener('abort', () => {
          made.stopped = true
          stop()
          reject(signal.reason)
        })
      }),
    close: async () => {},
  }
  return { runner, made, end: () => stop() }
}

describe.each([
  ['open', false],
  ['wrapped', true],
])('a cancel, %s', (_, wrapped) => {
  test.each([false, true])('stops compute and words; of a runner that heeds nothing the words: %s', async deaf => {
    const town = openTown()
    const { runner, made, end } = counter(town.clock, deaf)
    const node = await town.open({ runner, priceMsats: 0n })
    const customer = openHidden(town)
    const send = wrapped ? customer.wrap : customer.send
    const job = customer.request('count', 'nip44', { partial: true, ...(wrapped ? { privacy: 2 as const } : {}) })
    send(job)
    const heard = () => customer.heard(job, wrapped ? customer.inWraps() : undefined)
    await town.until('ten words', () => (made.pieces >= 10 ? true : undefined))
    send(keys.sign(cancel.write({ events: [job.id], kinds: [5050], reason: '' }, seconds(town.clock)), customer.own))
    await town.clock.advance(0)
    const [pieces, said] = [made.pieces, heard()]
    await town.clock.advance(10 * everyMs)
    await town.clock.advance(5_000)
    if (!deaf) {
      expect(made.stopped).toBe(true)
      expect(made.pieces).toBeLessThanOrEqual(pieces + 1)
    }
    const after = heard()
    expect(after.frames.length).toBeLessThanOrEqual(said.frames.length + 1)
    expect(after.words.filter(({ status }) => status === 'partial').length).toBe(
      said.words.filter(({ status }) => status === 'partial').length,
    )
    expect(after.results).toEqual([])
    expect(node.jobs()).toEqual([])
    end()
    await node.close()
  })
})
