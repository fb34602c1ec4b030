/**
 * Who paid whom how much, as names, with an end to it: two generations of half the time after which all is forgotten.
 * @module
 */
import type { Params } from './params.ts'
import { seededWalk } from './walk.ts'

/** What a walk over known payments found. */
export interface Reach {
  /** What a customer's word counts, 0 to 1, six decimals. */
  weightOf(payer: string): number
  /** Share of the walk at a node. */
  massOf(node: string): number
}

export interface Payers {
  /** One payment, `at` unix seconds. */
  paid(payer: string, node: string, msats: number, at: number): void
  /** Walks from customers one knows: those that paid oneself. Takes seconds where there are millions of pairs. */
  walk(seeds: Iterable<string>): Reach
  /** Pairs that are known. */
  readonly size: number
}

interface Generation {
  readonly payers: Map<string, number>
  readonly nodes: Map<string, number>
  /** Amount by pair: index of the payer × 2^26 + index of the node. */
  readonly pairs: Map<number, number>
}

const pairing = 2 ** 26
const generation = (): Generation => ({ payers: new Map(), nodes: new Map(), pairs: new Map() })

/** Nobody paid yet. At most `most` pairs are kept in each generation; the older one goes when the younger is full. */
export function openPayers(params: Params, most = 2_000_000): Payers {
  const spanSeconds = params.forgetSeconds / 2
  let old = generation()
  let young = generation()
  let span = -1

  return {
    paid(payer, node, msats, at) {
      if (!(msats > 0)) return
      const now = Math.floor(at / spanSeconds)
      if (now > span) {
        old = now === span + 1 ? young : generation()
        young = generation()
        span = now
      } else if (young.pairs.size >= most) {
        old = young
        young = generation()
      }
      if (now < span - 1) return
      const into = now < span && old.pairs.size < most ? old : young
      const pair = indexOf(into.payers, payer) * pairing + indexOf(into.nodes, node)
      into.pairs.set(pair, (into.pairs.get(pair) ?? 0) + msats)
    },
    walk(seeds) {
      const payers = new Map<string, number>()
      const nodes = new Map<string, number>()
      const size = old.pairs.size + young.pairs.size
      const graph = { payer: new Uint32Array(size), node: new Uint32Array(size), amount: new Float64Array(size) }
      let edge = 0
      for (const one of [old, young]) {
        const payerAt = Uint32Array.from(one.payers.keys(), name => indexOf(payers, name))
        const nodeAt = Uint32Array.from(one.nodes.keys(), name => indexOf(nodes, name))
        for (const [pair, amount] of one.pairs) {
          graph.payer[edge] = payerAt[Math.floor(pair / pairing)] ?? 0
          graph.node[edge] = nodeAt[pair % pairing] ?? 0
          graph.amount[edge++] = amount
        }
      }
      // A seed that paid nobody yet counts as one, and starts a walk that stays at home.
      const homes = [...new Set(seeds)].map(seed => indexOf(payers, seed))
      const found = seededWalk({ ...graph, payers: payers.size, nodes: nodes.size }, homes, params)
      return {
        weightOf: payer => found.weights[payers.get(payer) ?? -1] ?? 0,
        massOf: node => found.nodes[nodes.get(node) ?? -1] ?? 0,
      }
    },
    get size() {
      return old.pairs.size + young.pairs.size
    },
  }
}

function indexOf(names: Map<string, number>, name: string): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}
