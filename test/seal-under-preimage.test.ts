/** A result that paying opens: what is sealed opens with its preimage alone, and garbage under the seal is proven to anybody. */
import { createCipheriv, createHash, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Event, textResult } from '../kinds/index.ts'
import { fromHex, toHex } from '../src/hash.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { conversationKey } from '../src/seal/nip44.ts'
import { judgeSealed, openUnder, sealUnder } from '../src/seal/under-preimage.ts'
import { openSeal } from '../src/seal.ts'

const preimage = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const nonce = new Uint8Array(12).fill(7)
const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex)
const words = fc.string({ unit: 'binary', maxLength: 200 })

/** The same bytes by another implementation, written from the description alone. */
function byNode(secret: string, iv: Uint8Array, plain: string): string {
  const ikm = Buffer.from(secret, 'hex')
  const hash = createHash('sha256').update(ikm).digest()
  const key = Buffer.from(hkdfSync('sha256', ikm, hash, 'gridstr result', 32))
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64')
}

describe('sealing under a preimage', () => {
  test('gives these bytes', async () => {
    const sealed = await sealUnder(preimage, 'Rayleigh scattering.', nonce)
    expect(sealed).toEqual({
      content: 'BwcHBwcHBwcHBwcHH8+mkhUXFFKzQJFho7hrxTws+2n7PhlF4KGfTsnOKXSMXFt1',
      hash: '630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd',
      digest: createHash('sha256').update('Rayleigh scattering.').digest('hex'),
    })
    expect(byNode(preimage, nonce, 'Rayleigh scattering.')).toBe(sealed.content)
  })

  test('opens to what was sealed, and another implementation seals the same', async () => {
    await fc.assert(
      fc.asyncProperty(hex64, words, async (secret, plain) => {
        const sealed = await sealUnder(secret, plain)
        expect(await openUnder(secret, sealed.content, sealed)).toEqual({ ok: true, text: plain })
        expect(byNode(secret, Buffer.from(sealed.content, 'base64').subarray(0, 12), plain)).toBe(sealed.content)
      }),
      { numRuns: 1000 },
    )
  })

  test('opens to nothing where one bit of anything was changed', async () => {
    await fc.assert(
      fc.asyncProperty(hex64, words, fc.nat(), fc.nat(7), async (secret, plain, at, bit) => {
        const sealed = await sealUnder(secret, plain)
        const flip = (bytes: Uint8Array) =>
          bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte))
        const content = Buffer.from(flip(Buffer.from(sealed.content, 'base64'))).toString('base64')
        expect(await openUnder(secret, content, sealed)).toMatchObject({ ok: false, rule: 'ciphertext' })
        expect(await openUnder(toHex(flip(fromHex(secret))), sealed.content, sealed)).toMatchObject({
          rule: 'preimage',
        })
        const hash = toHex(flip(fromHex(sealed.hash)))
        expect(await openUnder(secret, sealed.content, { ...sealed, hash })).toMatchObject({ rule: 'preimage' })
        const digest = toHex(flip(fromHex(sealed.digest)))
        expect(await openUnder(secret, sealed.content, { ...sealed, digest })).toMatchObject({ rule: 'digest' })
      }),
      { numRuns: 1000 },
    )
  })

  test('never rejects for what a stranger sends', async () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String({ maxLength: 90 }), hex64)
    await fc.assert(
      fc.asyncProperty(any, any, any, async (content, digest, hash) => {
        expect(await openUnder(hash, content, { hash, digest })).toMatchObject({ ok: false, rule: 'preimage' })
        const own = (await sealUnder(preimage, 'x')).hash
        expect(await openUnder(preimage, content, { hash: own, digest })).toMatchObject({
          ok: false,
          rule: 'ciphertext',
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('refuses what cannot be sealed', async () => {
    await expect(sealUnder('00', 'x')).rejects.toThrow(TypeError)
    await expect(sealUnder(preimage, '\ud800')).rejects.toThrow('surrogate')
  })
})

describe('judging a result that was paid for', () => {
  let keys: Keys
  const job = 'a'.repeat(64)
  const secret = new Uint8Array(32).fill(5)
  const customerSecret = new Uint8Array(32).fill(6)
  beforeAll(async () => {
    keys = await openKeys()
  })

  const publish = (text: string, under: { hash: string; digest: string } | undefined, sealed: boolean): Event => {
    const customer = keys.publicKey(customerSecret)
    const encrypt = (plain: string) => openSeal({ keys, secret }).encrypt(customer, plain)
    const value = { job, customer, text, ...(under ? { sealedUnder: { hash: under.hash, digest: under.digest } } : {}) }
    return keys.sign(textResult.write(value, 1, sealed ? encrypt : undefined), secret)
  }
  const both = () => toHex(conversationKey(keys.shared(customerSecret, keys.publicKey(secret))))

  test.each([true, false])('an honest one is kept, a false one is a fault of its author (sealed: %s)', async sealed => {
    const honest = await sealUnder(preimage, 'The answer.')
    const key = sealed ? { conversationKey: both() } : {}
    const provider = keys.publicKey(secret)
    const good = { result: publish(honest.content, honest, sealed), preimage, ...key }
    expect(await judgeSealed(good, keys.verify)).toMatchObject({ verdict: 'kept', provider, job })
    const other = await sealUnder(preimage, 'Garbage.')
    const swapped = { result: publish(other.content, honest, sealed), preimage, ...key }
    expect(await judgeSealed(swapped, keys.verify)).toMatchObject({ verdict: 'fault', rule: 'digest', provider, job })
    const noise = { result: publish(Buffer.alloc(40).toString('base64'), honest, sealed), preimage, ...key }
    expect(await judgeSealed(noise, keys.verify)).toMatchObject({ verdict: 'fault', rule: 'ciphertext', provider })
  })

  test('nobody can be slandered: what the author did not sign, or another preimage, proves nothing', async () => {
    const honest = await sealUnder(preimage, 'The answer.')
    const other = await sealUnder(preimage, 'Garbage.')
    const result = publish(honest.content, honest, true)
    const ask = (evidence: Parameters<typeof judgeSealed>[0]) => judgeSealed(evidence, keys.verify)
    const forged = { ...publish(honest.content, honest, false), content: other.content }
    expect(await ask({ result: forged, preimage })).toMatchObject({ verdict: 'unproven', rule: 'signature' })
    expect(await ask({ result, preimage })).toMatchObject({ verdict: 'unproven', rule: 'sealed' })
    expect(await ask({ result, preimage, conversationKey: preimage })).toMatchObject({ rule: 'sealed' })
    const wrong = { result, preimage: 'f'.repeat(64), conversationKey: both() }
    expect(await ask(wrong)).toMatchObject({ verdict: 'unproven', rule: 'preimage' })
    const plain = publish('The answer.', undefined, false)
    expect(await ask({ result: plain, preimage })).toMatchObject({ verdict: 'unproven', rule: 'plain' })
    const notResult = keys.sign({ kind: 1, created_at: 1, tags: [], content: '' }, secret)
    expect(await ask({ result: notResult, preimage })).toMatchObject({ verdict: 'unproven', rule: 'kind' })
  })
})
