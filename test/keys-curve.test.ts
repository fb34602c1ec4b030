import { describe, expect, test } from 'vitest'
import { fromHex } from '../src/hash.ts'
import type { Curve } from '../src/keys/curve.ts'
import { openLibsecp256k1 } from '../src/keys/libsecp256k1.ts'
import { openPlain } from '../src/keys/plain.ts'
import { openWasm } from '../src/keys/wasm.ts'

const half = 'ffffffffffffffffffffffffffffffff'
const carl = 'dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659'
const pi = '243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89'
const r5 = '6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769'
const s5 = '69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b'

/** BIP-340 test-vectors.csv, rows 0 to 3: secret, public key, aux, message, signature. */
const signing = [
  [
    '0000000000000000000000000000000000000000000000000000000000000003',
    'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
    '00'.repeat(32),
    '00'.repeat(32),
    'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0',
  ],
  [
    'b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef',
    carl,
    `${'00'.repeat(31)}01`,
    pi,
    '6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a',
  ],
  [
    'c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9',
    'dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8',
    'c87aa53824b4d7ae2eb035a2b5bbbccc080e76cdc6d1692c4b0b62d798e6d906',
    '7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c',
    '5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1bab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7',
  ],
  [
    '0b432b2677937381aef05bb02a66ecd012773062cf3fa2549e44f58ed2401710',
    '25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517',
    'ff'.repeat(32),
    'ff'.repeat(32),
    '7eb0509757e246f19449885651611cb965ecc1a187dd51b64fda1edc9637d5ec97582b9cb13db3933705b32ba982af5af25fd78881ebb32771fc5922efc66ea3',
  ],
] as const

/** Rows 4 to 6, 11 and 12: what it is about, public key, message, signature, verdict. */
const checking = [
  [
    'row 4, a short R',
    'd69c3509bb99e412e68b0fe8544e72837dfa30746d8be2aa65975f29d22dc7b9',
    '4df3c3f68fcc83b27e9d42c90431a72499f17875c81a599b566c9889b9696703',
    '00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c6376afb1548af603b3eb45c9f8207dee1060cb71c04e80f593060b07d28308d7f4',
    true,
  ],
  ['row 5, key off the curve', 'eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34', pi, r5 + s5, false],
  [
    'row 6, odd R',
    carl,
    pi,
    'fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a14602975563cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2',
    false,
  ],
  ['row 11, R at the field size', carl, pi, `${half}fffffffffffffffffffffffefffffc2f${s5}`, false],
  ['row 12, s at the order', carl, pi, `${r5}fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141`, false],
] as const

const event = { created_at: 0, kind: 1, tags: [], content: '' }
const native: Curve | undefined = await openLibsecp256k1().catch(error => {
  console.warn(`SKIPPED libsecp256k1: ${error.message}`)
  return undefined
})

describe.each([
  ['libsecp256k1', native],
  ['plain', openPlain()],
] as const)('BIP-340 by %s', (_name, maybe) => {
  const curve = maybe as Curve
  test.skipIf(!maybe).each(signing)('secret %s', (sk, pk, aux, msg, sig) => {
    const bare = { ...event, id: msg, pubkey: pk }
    const draft = (pubkey: string) => ({ event: { ...bare, pubkey }, chars: 0 })
    expect(curve.sign(fromHex(sk), draft, fromHex(aux))).toEqual({ ...bare, sig })
    expect(curve.holds({ ...bare, sig }, 0)).toBe(true)
    expect(curve.holds({ ...bare, id: pi.replace('2', '3'), sig }, 0)).toBe(false)
  })
  test.skipIf(!maybe).each(checking)('%s', (_about, pubkey, id, sig, verdict) => {
    expect(curve.holds({ ...event, id, pubkey, sig }, 0)).toBe(verdict)
  })
})

test('nostr-wasm refuses bad keys and signatures on events whose id is right', async () => {
  const { eventId } = await import('../src/keys.ts')
  const curve = await openWasm()
  for (const [, pubkey, , sig, verdict] of checking) {
    if (verdict) continue
    const id = eventId({ ...event, pubkey })
    expect(curve.holds({ ...event, id, pubkey, sig }, 0)).toBe(false)
  }
})
