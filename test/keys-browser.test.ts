import { afterEach, expect, test, vi } from 'vitest'
import { openKeys } from '../src/keys.ts'
import { openSeal } from '../src/seal.ts'

const builtin = process.getBuiltinModule
afterEach(() => {
  process.getBuiltinModule = builtin
})

test('without node: modules, as in a browser, ids, signatures and payloads are the same', async () => {
  const native = { keys: await openKeys(), openSeal }
  vi.resetModules()
  Reflect.set(process, 'getBuiltinModule', undefined)
  const { openKeys: openThere } = await import('../src/keys.ts')
  const there = await import('../src/seal.ts')
  const { nodeCrypto } = await import('../src/hash.ts')
  expect(nodeCrypto).toBeUndefined()

  const template = { kind: 1, created_at: 1_800_000_000, tags: [['t', 'é']], content: 'ž 🐎'.repeat(400) }
  for (const engine of ['nostr-wasm', 'plain'] as const) {
    const keys = await openThere(engine)
    const [secret, peer] = [keys.newSecret(), native.keys.newSecret()]
    const event = keys.sign(template, secret)
    expect(native.keys.verify(event)).toBe(true)
    expect(keys.verify(native.keys.sign(template, peer))).toBe(true)
    expect(keys.verify({ ...event, content: 'x' })).toBe(false)

    const mine = there.openSeal({ keys, secret })
    const theirs = openSeal({ keys: native.keys, secret: peer })
    const [me, they] = [keys.publicKey(secret), keys.publicKey(peer)]
    for (const scheme of ['nip44', 'nip04'] as const)
      for (const text of ['short', 'long '.repeat(1000)]) {
        expect(theirs.decrypt(me, mine.encrypt(they, text, scheme))).toBe(text)
        expect(mine.decrypt(they, theirs.encrypt(me, text, scheme))).toBe(text)
      }
    expect(() => mine.decrypt(they, mine.encrypt(they, 'x').replace(/.{4}$/, 'AAA='))).toThrow(there.SealError)
    expect(() => mine.decrypt(they, 'AAAA?iv=AAAAAAAAAAAAAAAAAAAAAA==')).toThrow(there.SealError)
  }
})
