/**
 * Whether routers have something at stake. A router without a bond is in probation: it is shown, and loses every tie.
 * @module
 */
import {
  type Bond,
  type BondEntry,
  bond,
  bondEntry,
  type Event,
  type FaultVerdict,
  faultVerdict,
  type Kind,
  ofKinds,
} from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { type Clock, seconds, timeLimit } from '../clock.ts'
import { defaultParams, type Kept, stakeOf } from '../ledger/index.ts'

/** How long it is waited for; routers of which nothing came by then are unbonded. */
const patienceMs = 2_000
const most = 4

/**
 * The routers among these with a bond in force. Verdicts of the others among them take it: whoever is asked is believed
 * about all but itself. Never rejects.
 */
export async function bondedRouters(
  { relays, clock, verify }: { readonly relays: Relays; readonly clock: Clock; verify(event: Event): boolean },
  routers: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  if (routers.length === 0) return new Set()
  const late = timeLimit(clock, patienceMs, signal)
  const authors = [...routers]
  const asked = [ofKinds([bond.number, bondEntry.number], { authors }), ofKinds([faultVerdict.number], { authors })]
  const events = (await query(relays, asked, late.signal)).filter(verify)
  late.stop()
  const now = seconds(clock)
  return new Set(
    routers.filter(router => {
      const own = events.filter(({ pubkey }) => pubkey === router)
      const entries = read<BondEntry>(own, bondEntry)
      const verdicts = read<FaultVerdict>(
        events.filter(({ pubkey }) => pubkey !== router),
        faultVerdict,
      ).filter(({ value }) => value.accused === router)
      const bonds = newest(read<Bond>(own, bond)).filter(({ value }) => value.role === 'router')
      return bonds.slice(0, most).some(({ value }) => stakeOf(value, entries, verdicts, defaultParams, now).units > 0n)
    }),
  )
}

interface At<V> extends Kept<V> {
  readonly at: number
}

const read = <V>(events: readonly Event[], kind: Kind<V>): At<V>[] =>
  events.flatMap(event => {
    const said = event.kind === kind.number ? kind.read(event) : undefined
    return said?.ok ? [{ id: event.id, value: said.value, at: event.created_at }] : []
  })

const newest = (bonds: readonly At<Bond>[]): At<Bond>[] => {
  const found = new Map<string, At<Bond>>()
  for (const one of bonds) if (one.at > (found.get(one.value.id)?.at ?? -1)) found.set(one.value.id, one)
  return [...found.values()]
}
