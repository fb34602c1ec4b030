/**
 * The own bonds and their logs: read back from relays and from the journal before anything is written, because two entries
 * with one number are a fault that anybody can prove.
 * @module
 */
import {
  addressedTo,
  type Bond,
  type BondEntry,
  bond,
  bondEntry,
  type Event,
  type FaultVerdict,
  faultVerdict,
  LONGEST_BOND_SECONDS,
  ofKinds,
  parseEvent,
} from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Journal } from '../journal/index.ts'
import type { Keys } from '../keys.ts'
import { defaultParams, type Stake, stakeOf } from '../ledger/index.ts'

export interface BondingOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
}

/** One bond as its own log tells it. */
export interface OwnBond extends Bond {
  /** When it was written, unix seconds. */
  readonly writtenAt: number
  readonly entries: number
  /** Locked and added, less what was taken back. */
  readonly held: bigint
  /** What it counts now for those who count it and believe no verdict. */
  readonly worth: Stake
}

/** Why nothing was written. */
export interface BondRefusal {
  readonly ok: false
  readonly code: string
  readonly says: string
}

export interface Written {
  readonly ok: true
  readonly bond: OwnBond
  /** Ids of what was published: the entry, the bond. */
  readonly ids: readonly string[]
  /** Fewest relays that took one of them. */
  readonly accepted: number
}

export interface Bonds {
  /** Newest first. */
  readonly bonds: readonly OwnBond[]
  /** Verdicts about this key, by anybody. */
  readonly verdicts: readonly (FaultVerdict & { readonly judge: string })[]
  lock(role: Bond['role'], units: bigint, days: number): Promise<Written | BondRefusal>
  topup(role: Bond['role'], units: bigint): Promise<Written | BondRefusal>
  unlock(role: Bond['role']): Promise<Written | BondRefusal>
}

interface Line {
  readonly event: Event
  readonly value: BondEntry
}

const refuse = (code: string, says: string): BondRefusal => ({ ok: false, code, says })
const day = 86_400

/** Reads everything back, and offers again what no relay has. Refuses where it cannot be known what was written before. */
export async function openBonds(
  options: BondingOptions,
  signal?: AbortSignal,
): Promise<({ ok: true } & Bonds) | BondRefusal> {
  const { relays, keys, secret, clock, journal } = options
  const me = keys.publicKey(secret)
  const shelf = journal.shelf('bonds')
  const now = seconds(clock)
  const asked = [ofKinds([bond.number, bondEntry.number], { authors: [me] }), addressedTo([me], [faultVerdict.number])]
  const heard = (await query(relays, asked, signal)).filter(event => keys.verify(event))
  const kept = [...shelf.entries()].flatMap(([, text]) => (typeof text === 'string' ? (parseEvent(text) ?? []) : []))
  const down = relays.state().filter(({ state }) => state !== 'open')
  if (down.length === relays.urls.length || (kept.length === 0 && down.length > 0))
    return refuse(
      'no-relay',
      `${down.map(({ url }) => url).join(', ')} did not answer, and without that it cannot be known what was written before: check --relay.`,
    )
  const events = [...new Map([...kept, ...heard].map(event => [event.id, event])).values()]
  const own = events.filter(({ pubkey }) => pubkey === me)

  const lines = new Map<string, Line[]>()
  for (const event of own) {
    const read = event.kind === bondEntry.number ? bondEntry.read(event) : undefined
    if (read?.ok) lines.set(read.value.bond, [...(lines.get(read.value.bond) ?? []), { event, value: read.value }])
  }
  const newest = new Map<string, { readonly value: Bond; readonly at: number }>()
  for (const event of own) {
    const read = event.kind === bond.number ? bond.read(event) : undefined
    if (read?.ok && event.created_at > (newest.get(read.value.id)?.at ?? -1))
      newest.set(read.value.id, { value: read.value, at: event.created_at })
  }
  const there = new Set(heard.map(({ id }) => id))
  for (const event of kept) if (!there.has(event.id)) await relays.publish(event, { want: 1 })

  function told({ value, at }: { readonly value: Bond; readonly at: number }): OwnBond {
    const chain = lines.get(value.id) ?? []
    const entries = chain.map(line => ({ id: line.event.id, value: line.value }))
    const held = chain.reduce((sum, { value: { act, units } }) => (adds.has(act) ? sum + units : sum - units), 0n)
    return {
      ...value,
      writtenAt: at,
      entries: chain.length,
      held,
      worth: stakeOf(value, entries, [], defaultParams, now),
    }
  }

  const all = () => [...newest.values()].map(told).toSorted((a, b) => b.lockedAt - a.lockedAt || (a.id < b.id ? -1 : 1))
  const current = (role: Bond['role']) => all().find(one => one.role === role && one.expiresAt > now && one.held > 0n)

  /** Signs an entry and the bond, keeps them before any relay sees them, and publishes both. */
  async function write(
    value: Bond,
    act: BondEntry['act'],
    units: bigint,
    after: number,
  ): Promise<Written | BondRefusal> {
    const chain = lines.get(value.id) ?? []
    const last = chain.toSorted((a, b) => b.value.seq - a.value.seq)[0]
    const at = Math.max(now, last?.value.at ?? 0)
    const before = last ? { seq: last.value.seq + 1, prev: last.event.id } : { seq: 0 }
    const entry = { bond: value.id, act, units, at, ...before }
    const line = keys.sign(bondEntry.write(entry, Math.max(now, last?.event.created_at ?? 0)), secret)
    const whole = keys.sign(bond.write(value, Math.max(now, after + 1)), secret)
    if (!shelf.claim(`${value.id} ${entry.seq}`, JSON.stringify(line), 'money'))
      return refuse('taken', 'Another command writes this log in this moment: try again.')
    shelf.set(`bond ${value.id}`, JSON.stringify(whole), 'money')
    lines.set(value.id, [...chain, { event: line, value: entry }])
    newest.set(value.id, { value, at: whole.created_at })
    const sent = [await relays.publish(line, { want: 1 }), await relays.publish(whole, { want: 1 })]
    const accepted = Math.min(...sent.map(one => one.accepted))
    if (accepted === 0)
      return refuse('relay', 'No relay took it. It is written down, and the next "gridstr bond" offers it again.')
    return { ok: true, bond: told({ value, at: whole.created_at }), ids: [line.id, whole.id], accepted }
  }

  /** The bond in force that may be written on, or why there is none. */
  function open(role: Bond['role']): OwnBond | BondRefusal {
    const found = current(role)
    if (!found) return refuse('no-bond', `There is no ${role} bond in force: lock one with --units N --days D.`)
    const { reason } = found.worth
    if (reason === undefined || reason === 'not-yet') return found
    return refuse(
      'log',
      `The log of the bond "${found.id}" is broken (${reason}): it counts nothing. Wait until it ends.`,
    )
  }

  return {
    ok: true,
    get bonds() {
      return all()
    },
    verdicts: heard.flatMap(event => {
      const read = event.kind === faultVerdict.number ? faultVerdict.read(event) : undefined
      return read?.ok && read.value.accused === me ? [{ ...read.value, judge: event.pubkey }] : []
    }),
    async lock(role, units, days) {
      const found = current(role)
      if (found)
        return refuse(
          'in-force',
          `There is a ${role} bond in force until ${new Date(found.expiresAt * 1_000).toISOString().slice(0, 10)}: add to it with --topup N.`,
        )
      let id: string = role
      for (let n = 2; newest.has(id) || lines.has(id); n++) id = `${role}-${n}`
      const expiresAt = now + Math.min(days * day, LONGEST_BOND_SECONDS)
      return write({ id, units, proof: 'abstract', lockedAt: now, expiresAt, role }, 'lock', units, 0)
    },
    async topup(role, units) {
      const found = open(role)
      if ('ok' in found) return found
      return write({ ...bondOf(found), units: found.held + units }, 'topup', units, found.writtenAt)
    },
    async unlock(role) {
      const found = open(role)
      if ('ok' in found) return found
      return write({ ...bondOf(found), units: 0n }, 'unlock', found.held, found.writtenAt)
    },
  }
}

const adds: ReadonlySet<BondEntry['act']> = new Set<BondEntry['act']>(['lock', 'topup'])
const bondOf = ({ id, units, proof, lockedAt, expiresAt, role }: OwnBond): Bond => ({
  ...{ id, units, proof, lockedAt, expiresAt, role },
})
