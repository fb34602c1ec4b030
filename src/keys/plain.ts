/**
 * Engine in plain JavaScript: slow, and everywhere.
 * @module
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '../hash.ts'
import { type Curve, noPoint, randomBytes } from './curve.ts'

export function openPlain(): Curve {
  const publicKey = (secret: Uint8Array) => toHex(schnorr.getPublicKey(secret))
  return {
    engine: 'plain',
    holds: event => schnorr.verify(fromHex(event.sig), fromHex(event.id), fromHex(event.pubkey)),
    sign(secret, draft, aux = randomBytes(32)) {
      const { event } = draft(publicKey(secret))
      return { ...event, sig: toHex(schnorr.sign(fromHex(event.id), secret, aux)) }
    },
    publicKey,
    shared(secret, pubkey) {
      const even = fromHex(`02${pubkey}`)
      if (!secp256k1.utils.isValidPublicKey(even, true)) throw noPoint()
      return secp256k1.getSharedSecret(secret, even).slice(1, 33)
    },
  }
}
