/**
 * Engine in the system's own libsecp256k1 (Debian: `libsecp256k1-1`, `-2` …), called through koffi. One context and
 * one set of buffers: calls are synchronous, so nothing overlaps.
 * @module
 */
import { bounded } from '../bounded.ts'
import { type Curve, noPoint, randomBytes } from './curve.ts'

const names = [
  'libsecp256k1.so.1',
  'libsecp256k1.so.2',
  'libsecp256k1.so.5',
  'libsecp256k1.so.6',
  'libsecp256k1.so',
  'libsecp256k1.dylib',
  '/opt/homebrew/lib/libsecp256k1.dylib',
  '/usr/local/lib/libsecp256k1.dylib',
  'libsecp256k1.dll',
]

type Call = (...args: unknown[]) => number

/** Authors whose keys are remembered as points: finding the point is an eighth of a verification. */
const mostAuthors = 16_384

/** Verify and sign flags of old releases; new ones accept and ignore them. */
const contextFlags = 0x301

async function loadKoffi(): Promise<typeof import('koffi')> {
  // A name in a variable keeps a native package out of browser bundles.
  const name = 'koffi'
  const loaded: typeof import('koffi') & { default?: typeof import('koffi') } = await import(/* @vite-ignore */ name)
  return loaded.default ?? loaded
}

let opened: Promise<Curve> | undefined

/** One per process. Rejects when koffi, the library or one of its modules (schnorrsig, extrakeys, ecdh) is not here. */
export function openLibsecp256k1(): Promise<Curve> {
  opened ??= load()
  return opened
}

async function load(): Promise<Curve> {
  const koffi = await loadKoffi()
  let library: ReturnType<typeof koffi.load> | undefined
  for (const name of names) {
    try {
      library = koffi.load(name)
      break
    } catch {}
  }
  if (!library) throw new Error('no libsecp256k1 among the system libraries')
  const call = (signature: string): Call => library.func(signature)
  const context = library.func('void *secp256k1_context_create(unsigned int flags)')(contextFlags)
  const randomize = call('int secp256k1_context_randomize(void *ctx, const void *seed32)')
  const parseX = call('int secp256k1_xonly_pubkey_parse(void *ctx, void *key, const void *in32)')
  const writeX = call('int secp256k1_xonly_pubkey_serialize(void *ctx, void *out32, const void *key)')
  const makePair = call('int secp256k1_keypair_create(void *ctx, void *pair, const void *secret32)')
  const pairX = call('int secp256k1_keypair_xonly_pub(void *ctx, void *key, void *parity, const void *pair)')
  const signHash = call('int secp256k1_schnorrsig_sign32(void *ctx, void *sig, const void *msg, void *pair, void *aux)')
  const check = call('int secp256k1_schnorrsig_verify(void *ctx, void *sig, void *msg, size_t size, const void *key)')
  const parsePoint = call('int secp256k1_ec_pubkey_parse(void *ctx, void *key, const void *in, size_t size)')
  // The library hashes a common point by default; this hands out x as it is, as NIP-04 and NIP-44 want it.
  const hash = koffi.proto('int', ['void *', 'const void *', 'const void *', 'void *'])
  const commonPoint: Call = library.func('secp256k1_ecdh', 'int', [
    ...['void *', 'void *', 'const void *', 'const void *'],
    koffi.pointer(hash),
    'void *',
  ])
  const x = new Uint8Array(32)
  const takeX = koffi.register((_out: unknown, x32: unknown) => {
    x.set(koffi.decode(x32, 'uint8_t', 32))
    return 1
  }, koffi.pointer(hash))

  const hash32 = Buffer.alloc(32)
  const key32 = Buffer.alloc(32)
  const sig64 = Buffer.alloc(64)
  const point33 = Buffer.alloc(33, 2)
  const key = Buffer.alloc(64)
  const authors = bounded<string, Buffer>(mostAuthors)
  const pair = Buffer.alloc(96)
  /** Leaves the key pair in `pair`; the caller wipes it. */
  const pairOf = (secret: Uint8Array): string => {
    if (makePair(context, pair, secret) !== 1) throw new RangeError('secret key out of range')
    pairX(context, key, null, pair)
    writeX(context, key32, key)
    return key32.toString('hex')
  }
  randomize(context, randomBytes(32))

  return {
    engine: 'libsecp256k1',
    holds(event) {
      const known = authors.get(event.pubkey)
      if (!known) {
        key32.write(event.pubkey, 'hex')
        if (parseX(context, key, key32) !== 1) return false
      }
      sig64.write(event.sig, 'hex')
      hash32.write(event.id, 'hex')
      if (check(context, sig64, hash32, 32, known ?? key) !== 1) return false
      // Only who signs something is remembered: keys without a signature cost nothing to make up.
      if (!known) authors.set(event.pubkey, Buffer.from(key))
      return true
    },
    sign(secret, draft, aux = randomBytes(32)) {
      try {
        const { event } = draft(pairOf(secret))
        hash32.write(event.id, 'hex')
        if (signHash(context, sig64, hash32, pair, aux) !== 1) throw new Error('libsecp256k1 refused to sign')
        return { ...event, sig: sig64.toString('hex') }
      } finally {
        pair.fill(0)
      }
    },
    publicKey(secret) {
      try {
        return pairOf(secret)
      } finally {
        pair.fill(0)
      }
    },
    shared(secret, pubkey) {
      point33.write(pubkey, 1, 'hex')
      if (parsePoint(context, key, point33, 33) !== 1) throw noPoint()
      if (commonPoint(context, hash32, key, secret, takeX, null) !== 1) throw new RangeError('secret key out of range')
      const common = x.slice()
      x.fill(0)
      return common
    },
  }
}
