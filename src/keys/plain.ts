/**
 * Engine in plain JavaScript: slow, and everywhere.
 * @module
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { type Curve, noPoint, randomBytes } from './curve.ts'
import { bytesToHex, hexToBytes } from './hash.ts'

export function openPlain(): Curve {
  const publicKey = (secret: Uint8Array) => bytesToHex(schnorr.getPublicKey(secret))
  return {
    engine: 'plain',
    holds: event => schnorr.verify(hexToBytes(event.sig), hexToBytes(event.id), hexToBytes(event.pubkey)),
    sign(secret, draft, aux = randomBytes(32)) {
      const { event } = draft(publicKey(secret))
      return { ...event, sig: bytesToHex(schnorr.sign(hexToBytes(event.id), secret, aux)) }
    },
    publicKey,
    shared(secret, pubkey) {
      const even = hexToBytes(`02${pubkey}`)
      if (!secp256k1.utils.isValidPublicKey(even, true)) throw noPoint()
      return secp256k1.getSharedSecret(secret, even).slice(1, 33)
    },
  }
}
