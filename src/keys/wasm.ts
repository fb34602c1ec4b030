/**
 * Engine in WebAssembly, by nostr-wasm. It takes whole events only, hashes them a second time by itself, has no ECDH
 * and a memory of about one megabyte: long events and common points go to node:crypto or plain JavaScript.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import { fromHex, nodeCrypto, toHex } from '../hash.ts'
import { type Curve, noPoint } from './curve.ts'
import { openPlain } from './plain.ts'

/** Three bytes of UTF-8 for each of so many characters still fit. */
const longestChars = 100_000
/** Only the length of it matters: nostr-wasm writes the author in by itself. */
const anyPubkey = '0'.repeat(64)

// An OpenSSL without this curve throws on the first use, hence the probe.
function nodeEcdh(): Curve['shared'] | undefined {
  if (!nodeCrypto) return undefined
  const { createECDH } = nodeCrypto
  try {
    createECDH('secp256k1').setPrivateKey(new Uint8Array(32).fill(1))
  } catch {
    return undefined
  }
  return (secret, pubkey) => {
    const ecdh = createECDH('secp256k1')
    ecdh.setPrivateKey(secret)
    try {
      return new Uint8Array(ecdh.computeSecret(fromHex(`02${pubkey}`)))
    } catch {
      throw noPoint()
    }
  }
}

export async function openWasm(): Promise<Curve> {
  const { initNostrWasm } = await import('nostr-wasm')
  const wasm = await initNostrWasm()
  const plain = openPlain()
  const shape = (event: Omit<Event, 'sig'>) => ({
    id: event.id,
    pubkey: event.pubkey,
    created_at: event.created_at,
    kind: event.kind,
    tags: event.tags.map(tag => [...tag]),
    content: event.content,
  })
  return {
    engine: 'nostr-wasm',
    holds(event, chars) {
      if (chars > longestChars) return plain.holds(event, chars)
      try {
        wasm.verifyEvent({ ...shape(event), sig: event.sig })
        return true
      } catch {
        return false
      }
    },
    sign(secret, draft, aux) {
      const { event, chars } = draft(anyPubkey)
      if (chars > longestChars) return plain.sign(secret, draft, aux)
      const filled = { ...shape(event), sig: '' }
      wasm.finalizeEvent(filled, secret)
      const { event: mine } = draft(filled.pubkey)
      if (filled.id !== mine.id) throw new Error('nostr-wasm hashed an event differently')
      return { ...mine, sig: filled.sig }
    },
    publicKey: secret => toHex(wasm.getPublicKey(secret)),
    shared: nodeEcdh() ?? plain.shared,
  }
}
