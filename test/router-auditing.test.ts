/** Answers computed again: what passes, what fails, and what nobody can tell. */
import { describe, expect, test } from 'vitest'
import { type TextRequest, textRequest, textResult } from '../kinds/index.ts'
import { auditorOf } from '../src/cli/auditing.ts'
import { handClock, seconds } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { openSeal } from '../src/seal.ts'

const clock = handClock()
const keys = await openKeys()
const [customer, node] = [keys.newSecret(), keys.newSecret()]
const sealed = (plain: string) => openSeal({ keys, secret: customer }).encrypt(keys.publicKey(node), plain)
const runner = (name = 'echo') => ({ ...echoRunner({ clock }), name })

const jobOf = (value: Partial<TextRequest> = {}, isSealed = false) => {
  const request: TextRequest = {
    ...{ inputs: [{ data: 'say this again', type: 'text' }], relays: [], providers: [], stream: false, receipt: false },
    ...value,
  }
  return keys.sign(textRequest.write(request, seconds(clock), isSealed ? sealed : undefined), customer)
}

const audit = (value: Partial<TextRequest>, text: string, name?: string, isSealed = false) => {
  const job = jobOf(value, isSealed)
  const answer = { job: job.id, customer: job.pubkey, text, model: 'echo' }
  const result = keys.sign(textResult.write(answer, seconds(clock)), node)
  return auditorOf(runner(name))(job, result, keys.publicKey(node), new AbortController().signal)
}

describe('an audit', () => {
  test('passes the same text and fails another one', async () => {
    expect(await audit({}, 'say this again')).toBe('passed')
    expect(await audit({}, 'again this say')).toBe('failed')
    expect(await audit({ maxTokens: 2 }, 'say this')).toBe('passed')
    expect(await audit({ maxTokens: 2 }, 'say this again')).toBe('failed')
  })

  test('cannot tell of sampled text, another model, parts or sealed jobs', async () => {
    expect(await audit({}, 'nonsense', 'llama')).toBe('unable')
    expect(await audit({ temperature: 0.7 }, 'nonsense', 'llama')).toBe('unable')
    expect(await audit({ temperature: 0 }, 'nonsense', 'llama')).toBe('failed')
    expect(await audit({ seed: 7 }, 'say this again', 'llama')).toBe('passed')
    expect(await audit({ model: 'bigger' }, 'nonsense')).toBe('unable')
    expect(await audit({ terms: { word: 'parts', parts: 2 } }, 'say')).toBe('unable')
    expect(await audit({}, 'nonsense', 'echo', true)).toBe('unable')
  })
})
