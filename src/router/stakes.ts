/**
 * What nodes have at stake: their bonds, the logs of those, and what judges that this router believes took from them.
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
} from '../../kinds/index.ts'
import { lru } from '../bounded.ts'
import { type Kept, type Params, stakeOf } from '../ledger/index.ts'

export interface Stakes {
  /** The node whose stake an event of these kinds changed, if it did. */
  heard(event: Event): string | undefined
  /** Abstract units at `now`, unix seconds. */
  unitsOf(node: string, now: number): number
  /** Every bond of a key that was heard of, whatever it is worth now. */
  bondsOf(node: string): readonly Bond[]
}

interface Held {
  readonly bonds: Map<string, Kept<Bond> & { readonly at: number }>
  readonly entries: Map<string, Kept<BondEntry>>
  readonly verdicts: Map<string, Kept<FaultVerdict>>
}

const mostNodes = 10_000
const most = { bonds: 4, entries: 256, verdicts: 64 }

/** `believes`: whose verdicts take stake. */
export function openStakes(params: Params, believes: (judge: string) => boolean): Stakes {
  const nodes = lru<string, Held>(mostNodes)
  const heldOf = (node: string): Held => {
    const known = nodes.get(node)
    if (known) return known
    const held: Held = { bonds: new Map(), entries: new Map(), verdicts: new Map() }
    nodes.set(node, held)
    return held
  }
  return {
    heard(event) {
      const { id, pubkey, created_at: at } = event
      if (event.kind === bond.number) {
        const read = bond.read(event)
        if (!read.ok) return undefined
        const { bonds } = heldOf(pubkey)
        const old = bonds.get(read.value.id)
        if (old ? old.at > at || (old.at === at && old.id <= id) : bonds.size >= most.bonds) return undefined
        bonds.set(read.value.id, { id, value: read.value, at })
        return pubkey
      }
      if (event.kind === bondEntry.number) {
        const read = bondEntry.read(event)
        const { entries } = heldOf(pubkey)
        if (!read.ok || entries.size >= most.entries) return undefined
        entries.set(id, { id, value: read.value })
        return pubkey
      }
      if (event.kind !== faultVerdict.number || !believes(pubkey)) return undefined
      const read = faultVerdict.read(event)
      if (!read.ok) return undefined
      const { verdicts } = heldOf(read.value.accused)
      if (verdicts.size >= most.verdicts) return undefined
      verdicts.set(id, { id, value: read.value })
      return read.value.accused
    },
    bondsOf: node => [...(nodes.get(node)?.bonds.values() ?? [])].map(({ value }) => value),
    unitsOf(node, now) {
      const held = nodes.get(node)
      if (!held) return 0
      const [entries, verdicts] = [[...held.entries.values()], [...held.verdicts.values()]]
      let units = 0n
      for (const one of held.bonds.values()) units += stakeOf(one.value, entries, verdicts, params, now).units
      return Number(units)
    },
  }
}
