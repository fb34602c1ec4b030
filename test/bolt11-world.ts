/**
 * Invoices of every kind that the standard knows, for properties.
 * @module
 */
import fc from 'fast-check'
import type { writeInvoice } from '../src/payments/bolt11.ts'
import { toHex } from '../src/payments/hash.ts'

const hex = (bytes: number) => fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(toHex)
const optional = <K extends string, V>(name: K, value: fc.Arbitrary<V>) =>
  fc.option(value, { nil: undefined }).map(v => (v === undefined ? {} : { [name]: v }) as { [N in K]?: V })

const hop = fc.record({
  nodeKey: hex(33),
  shortChannelId: fc.bigInt(0n, 2n ** 64n - 1n),
  feeBaseMsats: fc.nat(0xffff_ffff),
  feeProportionalMillionths: fc.nat(0xffff_ffff),
  cltvExpiryDelta: fc.nat(0xffff),
})
const fallback = fc.oneof(
  fc.record({ version: fc.constantFrom(17, 18, 0), program: hex(20) }),
  fc.record({ version: fc.integer({ min: 1, max: 16 }), program: fc.integer({ min: 2, max: 40 }).chain(hex) }),
)
const features = fc
  .uniqueArray(
    fc.oneof(
      fc.constantFrom(8, 14, 16, 48),
      fc.nat(150).map(n => 2 * n + 1),
    ),
    { maxLength: 6 },
  )
  .map(bits => bits.toSorted((a, b) => a - b))
/** What `writeInvoice` can be told. */
export const fieldsOf = fc
  .tuple(
    fc.record({
      network: fc.constantFrom('mainnet', 'testnet', 'signet', 'regtest', 'simnet' as const),
      hash: hex(32),
      secret: hex(32),
      timestamp: fc.nat(2 ** 31),
      features,
      routeHints: fc.array(fc.array(hop, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
      fallbacks: fc.array(fallback, { maxLength: 2 }),
    }),
    fc.oneof(
      fc.record({ description: fc.string({ unit: 'binary', maxLength: 60 }) }),
      fc.record({ descriptionHash: hex(32) }),
    ),
    optional('msats', fc.bigInt(1n, 2_100_000_000_000_000_000n)),
    optional('expirySeconds', fc.nat(0xffff_ffff)),
    optional('minFinalCltvDelta', fc.nat(0xffff_ffff)),
    optional('metadata', fc.nat(40).chain(hex)),
    fc.record({ namesPayee: fc.boolean() }),
  )
  .map(parts => Object.assign({}, ...parts) as Parameters<typeof writeInvoice>[0])
