/** The shipped strfry configuration against what our kinds need: the numbers must agree even where no strfry is here. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { textRequest, textResult } from '../kinds/index.ts'
import { openKeys } from '../src/keys.ts'
import { maxSealedBytes, openSeal } from '../src/seal.ts'

const conf = readFileSync(new URL('../strfry.conf', import.meta.url), 'utf8').replace(/#.*$/gm, '')
const number = (key: string): number => {
  const found = new RegExp(`\\b${key} = (\\d+)`).exec(conf)
  if (!found) throw new Error(`strfry.conf has no ${key}`)
  return Number(found[1])
}
const keys = await openKeys()
const secret = keys.newSecret()
const customer = keys.publicKey(keys.newSecret())
const seal = openSeal({ keys, secret })

test('the largest sealed result that we write fits', () => {
  const value = {
    job: 'a'.repeat(64),
    customer,
    text: 'x'.repeat(maxSealedBytes),
    model: 'm'.repeat(64),
    request: 'r'.repeat(12_000),
  }
  const event = keys.sign(
    textResult.write(value, 1_800_000_000, text => seal.encrypt(customer, text)),
    secret,
  )
  const bytes = JSON.stringify(event).length
  expect(bytes).toBeGreaterThan(65_536)
  expect(bytes).toBeLessThan(number('maxEventSize'))
  expect(JSON.stringify(['EVENT', event]).length).toBeLessThan(number('maxWebsocketPayloadSize'))
})

test('any event that fits does so inside a frame, escapes included', () => {
  expect(number('maxWebsocketPayloadSize')).toBeGreaterThanOrEqual(2 * number('maxEventSize'))
})

test('the longest plain prompt that our writer makes fits a single-letter tag', () => {
  const write = (text: string) =>
    textRequest.write(
      { inputs: [{ data: text, type: 'text' }], relays: [], providers: [], stream: false, receipt: false },
      1_800_000_000,
    )
  expect(() => write('x'.repeat(1_024))).not.toThrow()
  expect(() => write('x'.repeat(1_025))).toThrow(TypeError)
  expect(number('maxTagValSize')).toBeGreaterThanOrEqual(1_024)
})

test('braces are balanced and every setting has a value', () => {
  expect(conf.split('{').length).toBe(conf.split('}').length)
  for (const line of conf.split('\n').map(text => text.trim()))
    expect(
      line === '' || line === '}' || /^[\w]+ \{$/.test(line) || /^\w+ = (\d+|true|false|"[^"]*")$/.test(line),
      line,
    ).toBe(true)
})
