/**
 * The one door to signing and verifying. Three engines behind it, the fastest that passes its self-test is used;
 * every verdict comes from fresh bytes, never from a mark that an earlier check left on the object.
 * @module
 */
import type { Event, Template } from '../kinds/kind.ts'
import { sha256Hex, toHex } from './hash.ts'
import { copyEvent, copyTemplate, freezeEvent, isHex64 } from './keys/copy.ts'
import { type Curve, type Engine, randomBytes } from './keys/curve.ts'
import { isSpeakable, serialized } from './keys/event-id.ts'
import { isSecret } from './keys/text.ts'

export type { Engine } from './keys/curve.ts'
export { eventId } from './keys/event-id.ts'
export { eventFromText, type NamedEvent, npub, nsec, pubkeyFromText, secretFromText } from './keys/text.ts'

export interface Keys {
  readonly engine: Engine
  /** Id hash and BIP-340 signature, from fresh bytes. False for anything that is no event; never throws. */
  verify(event: Event): boolean
  /**
   * The signature alone, for an event whose shape and id its caller has proven on a copy that nobody else can change:
   * the door of strangers (`intake.ts`) and nobody else. `chars` is the length of the text that was hashed. Never throws.
   */
  signed(event: Event, chars: number): boolean
  /** A signed, deeply frozen copy. Throws `TypeError` for a template or secret of the wrong shape. */
  sign(template: Template, secret: Uint8Array): Event
  /** 64 hex digits. */
  publicKey(secret: Uint8Array): string
  /** The 32-byte x coordinate of the common point (NIP-04, NIP-44). Throws `RangeError` when `pubkey` is no key. */
  shared(secret: Uint8Array, pubkey: string): Uint8Array
  /** 32 random bytes that are a valid key. */
  newSecret(): Uint8Array
}

const open: Record<Engine, () => Promise<Curve>> = {
  libsecp256k1: async () => (await import('./keys/libsecp256k1.ts')).openLibsecp256k1(),
  'nostr-wasm': async () => (await import('./keys/wasm.ts')).openWasm(),
  plain: async () => (await import('./keys/plain.ts')).openPlain(),
}

const wayOut: Record<Engine, string> = {
  libsecp256k1:
    'install the library (Debian, Ubuntu: apt install libsecp256k1-1 or its newer number; macOS: brew install secp256k1) and the npm package koffi',
  'nostr-wasm': 'install the npm package nostr-wasm and run where WebAssembly is allowed',
  plain: 'install the npm package @noble/curves',
}

/**
 * Opens the fastest engine that is here, or exactly the one that is asked for.
 * Throws an error that says how to get the engine when it is missing or fails its self-test.
 */
export async function openKeys(only?: Engine): Promise<Keys> {
  if (only && !Object.hasOwn(open, only))
    throw new Error(`there is no crypto engine "${only}": it is libsecp256k1, nostr-wasm or plain`)
  const order: Engine[] = only ? [only] : ['libsecp256k1', 'nostr-wasm', 'plain']
  let why: unknown
  for (const engine of order) {
    if (!only && engine === 'libsecp256k1' && !globalThis.process?.versions?.node) continue
    try {
      const curve = await open[engine]()
      const keys = withCurve(curve)
      selfTest(curve, keys)
      return keys
    } catch (error) {
      why = error
    }
  }
  const engine = order.at(-1) ?? 'plain'
  throw new Error(`crypto engine ${engine} is not usable here (${reason(why)}): ${wayOut[engine]}`, { cause: why })
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function withCurve(curve: Curve): Keys {
  const needSecret = (secret: Uint8Array) => {
    if (!isSecret(secret)) throw new TypeError('a secret key is 32 bytes between 1 and the order of secp256k1')
  }
  return {
    engine: curve.engine,
    verify(raw) {
      try {
        const event = copyEvent(raw)
        if (!event) return false
        const text = serialized(event.pubkey, event)
        return sha256Hex(text) === event.id && isSpeakable(text, event) && curve.holds(event, text.length)
      } catch {
        return false
      }
    },
    signed(event, chars) {
      try {
        return curve.holds(event, chars)
      } catch {
        return false
      }
    },
    sign(raw, secret) {
      needSecret(secret)
      const template = copyTemplate(raw)
      if (!template)
        throw new TypeError('only kind, created_at (seconds), tags (lists of strings) and content make an event')
      const { created_at, kind, tags, content } = template
      const signed = curve.sign(secret, pubkey => {
        const text = serialized(pubkey, template)
        if (!isSpeakable(text, template))
          throw new TypeError('half a surrogate pair has no UTF-8 form and cannot be signed')
        return { event: { id: sha256Hex(text), pubkey, created_at, kind, tags, content }, chars: text.length }
      })
      return freezeEvent(signed)
    },
    publicKey(secret) {
      needSecret(secret)
      return curve.publicKey(secret)
    },
    shared(secret, pubkey) {
      needSecret(secret)
      if (!isHex64(pubkey)) throw new RangeError('a public key is 64 lower-case hex digits')
      return curve.shared(secret, pubkey)
    },
    newSecret() {
      for (;;) {
        const secret = randomBytes(32)
        if (isSecret(secret)) return secret
      }
    },
  }
}

/** BIP-340 test vector 0; what that key shares with twice the generator; and an event that it signed. */
const known = {
  secret: new Uint8Array(32).fill(3, 31),
  pubkey: 'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9',
  hash: '00'.repeat(32),
  sig: 'e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca821525f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0',
  peer: 'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
  shared: 'fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556',
  template: { kind: 1, created_at: 0, tags: [], content: 'gridstr' },
  eventId: '86f75390b358b98d830f8837a21547c9fe10ab78d796a11265ab38711f3b35e4',
  eventSig:
    'fa57bbd90a86dcb163c5856f26f7bd3adede942050da94b5d908a5243996307fc40898a93a4ccaf9ad7e3b4d380e6d2eb4b32ca791d100206dfe93898f466145',
}

// nostr-wasm computes ids by itself, so that the bare vector cannot be put to it.
function knowsVector(curve: Curve): boolean {
  if (curve.engine === 'nostr-wasm') return true
  const bare = { ...known.template, id: known.hash, pubkey: known.pubkey }
  const signed = curve.sign(known.secret, () => ({ event: bare, chars: 0 }), new Uint8Array(32))
  return signed.sig === known.sig && curve.holds(signed, 0)
}

function selfTest(curve: Curve, keys: Keys): void {
  const event = { ...known.template, id: known.eventId, pubkey: known.pubkey, sig: known.eventSig }
  const passed =
    knowsVector(curve) &&
    keys.publicKey(known.secret) === known.pubkey &&
    keys.verify(event) &&
    !keys.verify({ ...event, sig: event.sig.replace('f', 'e') }) &&
    keys.verify(keys.sign(known.template, known.secret)) &&
    toHex(keys.shared(known.secret, known.peer)) === known.shared
  if (!passed) throw new Error('its self-test failed')
}
