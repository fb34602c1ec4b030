/**
 * What a client says for one job: the request and its repetitions, its withdrawal, and wishes about its stream.
 * @module
 */
import { cancel, isSealed, streamControl } from '../../kinds/index.ts'
import type { Published, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { type Seal, wrapEvent } from '../seal.ts'
import type { Opening } from './keeping.ts'
import { openMail } from './mail.ts'

export interface VoiceOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly opening: Opening
  /** Of the key that signed the job. */
  readonly seal: Pick<Seal, 'encrypt'>
  /** Everything goes in wraps. */
  readonly hidden: boolean
}

export interface Voice {
  /** Publishes the request. */
  ask(first: boolean): Promise<Published>
  /**
   * A relay that has the request does not pass it on a second time, nor the answer that it lost on its way to us: the node
   * is asked through a fresh wrap.
   */
  again(node: string): Promise<unknown>
  /** Takes the request back. */
  withdraw(): undefined
  /** Resolves when a withdrawal has reached a relay, or had its time. */
  withdrawn(): Promise<unknown>
  /** Asks the node for the frames from this place on. */
  resend(node: string, from: number): void
}

const withdrawMs = 2_000
const keepMs = 60_000
const nobody = { accepted: 0, enough: false, acks: [] } as const

export function openVoice({ relays, keys, clock, opening, seal, hidden }: VoiceOptions): Voice {
  const { request, secret, ask } = opening
  const send = openMail({ relays, keys, clock, ...(hidden && ask.node ? { hiddenFor: ask.node } : {}) })
  let withdrawn: Promise<unknown> = Promise.resolve()
  return {
    // A wrap is repeated by `again` alone: once is enough.
    ask: async first => (hidden && !first ? nobody : send(request, { keepMs })),
    again: node => relays.publish(wrapEvent(keys, request, node, seconds(clock)), { want: 1, keepMs: 0 }),
    withdraw() {
      const value = { events: [request.id], kinds: [request.kind], reason: '' }
      const said = send(keys.sign(cancel.write(value, seconds(clock)), secret), { want: 1 })
      withdrawn = Promise.race([said, new Promise(resolve => clock.after(withdrawMs, () => resolve(undefined)))])
    },
    withdrawn: () => withdrawn,
    resend(to, from) {
      const encrypt = isSealed(request) ? (plain: string) => seal.encrypt(to, plain) : undefined
      const wish = streamControl.write({ job: request.id, to, ask: 'resend', from }, seconds(clock), encrypt)
      void send(keys.sign(wish, secret), { want: 1, keepMs: 0 })
    },
  }
}
