/**
 * An embedded relay for tests: clock in the hand, real crypto, and raw clients that are closed at the end.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import { type EmbeddedRelay, type RelayOptions, startRelay } from '../relays/embedded/relay.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { openWire, type Wire } from './suites/conformance-wire.ts'

const keys = await openKeys()

export interface Author {
  readonly pubkey: string
  sign(template: { kind?: number; created_at?: number; tags?: string[][]; content?: string }): Event
}

export interface EmbeddedWorld {
  readonly relay: EmbeddedRelay
  readonly clock: HandClock
  readonly said: string[]
  now(): number
  author(): Author
  connect(): Promise<Wire>
  close(): Promise<void>
}

/** Signs with a new key at the time of `clock`; each event differs in content unless it is given. */
export function newAuthor(clock: HandClock): Author {
  const secret = keys.newSecret()
  let signed = 0
  return {
    pubkey: keys.publicKey(secret),
    sign: ({ kind = 1, created_at = seconds(clock), tags = [], content = `${signed++}` }) =>
      keys.sign({ kind, created_at, tags, content }, secret),
  }
}

/** Starts a relay; `said` collects what it told its operator. */
export async function openEmbedded(
  options: Partial<RelayOptions> & { clock?: HandClock } = {},
  patienceMs = 5_000,
): Promise<EmbeddedWorld> {
  const clock = options.clock ?? handClock(Date.now())
  const said: string[] = []
  const relay = await startRelay({
    verify: event => keys.verify(event),
    onError: says => said.push(says),
    ...options,
    clock,
  })
  const wires: Wire[] = []
  return {
    relay,
    clock,
    said,
    now: () => seconds(clock),
    author: () => newAuthor(clock),
    async connect() {
      const wire = await openWire(relay.url, patienceMs)
      wires.push(wire)
      return wire
    },
    async close() {
      for (const wire of wires) wire.close()
      await relay.close()
    },
  }
}
