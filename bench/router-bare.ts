/**
 * The loop that a router is compared to: the hash and the signature of each event by libsecp256k1 itself, and nothing
 * remembered from one event to the next.
 * @module
 */
import koffi from 'koffi'
import type { Event } from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { serialized } from '../src/keys/event-id.ts'
import type { Keys } from '../src/keys.ts'

const names = ['1', '2', '5', '6'].map(release => `libsecp256k1.so.${release}`)

function load() {
  for (const name of [...names, 'libsecp256k1.dylib', '/opt/homebrew/lib/libsecp256k1.dylib']) {
    try {
      return koffi.load(name)
    } catch {}
  }
  throw new Error('no libsecp256k1 among the system libraries')
}

/** True for an event that is what its author signed. Where `keys` has no libsecp256k1, its own engine is compared to itself. */
export function openBare(keys: Keys): (event: Event) => boolean {
  const holds = keys.engine === 'libsecp256k1' ? openHolds() : keys.signed
  return event => {
    const text = serialized(event.pubkey, event)
    return sha256Hex(text) === event.id && holds(event, text.length)
  }
}

function openHolds(): (event: Event) => boolean {
  const library = load()
  const context = library.func('void *secp256k1_context_create(unsigned int flags)')(0x301)
  const parse = library.func('int secp256k1_xonly_pubkey_parse(void *ctx, void *key, const void *in32)')
  const check = library.func(
    'int secp256k1_schnorrsig_verify(void *ctx, void *sig, void *msg, size_t size, const void *key)',
  )
  const [hash32, key32, sig64, key] = [Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(64), Buffer.alloc(64)]
  return event => {
    key32.write(event.pubkey, 'hex')
    sig64.write(event.sig, 'hex')
    hash32.write(event.id, 'hex')
    return parse(context, key, key32) === 1 && check(context, sig64, hash32, 32, key) === 1
  }
}
