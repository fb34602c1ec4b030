/**
 * Whose payments count: a walk that starts at customers one knows, follows money to nodes and from nodes back to their
 * other customers, and returns home again and again (EigenTrust). Volume and numbers of payers can be made by paying
 * oneself; being reached cannot.
 * @module
 */
import { sixDecimals } from './digits.ts'
import type { Params } from './params.ts'

/** Payments as rows: payer and node are indices, `amount` what was paid in all between the two. */
export interface PaymentGraph {
  readonly payers: number
  readonly nodes: number
  readonly payer: Uint32Array
  readonly node: Uint32Array
  readonly amount: Float64Array
}

export interface Walk {
  /** Share of the walk at each payer and at each node; both together are 1. */
  readonly payers: Float64Array
  readonly nodes: Float64Array
  /**
   * What each payer's word counts, 0 to 1, six decimals: seeds 1, others what reaches them against what comes back to an
   * average seed, which starts there but is otherwise a customer as they are.
   */
  readonly weights: Float64Array
}

/**
 * Walks from `seeds` (indices of payers). Money is followed in proportion, so that splitting a payment over many keys
 * changes nothing, and a stranger gets as much of the share of an honest node as it gave it real money. Amounts that are not
 * above 0, and seeds that do not exist, are left out; without seeds nobody counts.
 */
export function seededWalk(graph: PaymentGraph, seeds: Iterable<number>, params: Params): Walk {
  const homes = Uint32Array.from(new Set([...seeds].filter(seed => seed >= 0 && seed < graph.payers)))
  const total = graph.payers + graph.nodes
  const rows = rowsOf(graph)
  let at = new Float64Array(total)
  let next = new Float64Array(total)
  const outflow = new Float64Array(total)
  for (const one of homes) at[one] = 1 / homes.length
  let home = 0
  const go = 1 - params.walkRestart
  for (let step = 0; homes.length > 0 && step < params.walkSteps; step++) {
    let stays = 1
    for (let from = 0; from < total; from++) {
      const sum = rows.sums[from] as number
      const share = sum > 0 ? (go * (at[from] as number)) / sum : 0
      outflow[from] = share
      stays -= share * sum
    }
    pull(rows, outflow, next)
    // What nobody was paid with, and what goes home.
    home = Math.max(0, stays) / homes.length
    for (const one of homes) next[one] = (next[one] as number) + home
    const before = at
    at = next
    next = before
  }
  const payers = at.slice(0, graph.payers)
  return { payers, nodes: at.slice(graph.payers), weights: weightsOf(payers, homes, home) }
}

interface Rows {
  /** Where the neighbours of each begin, one more than there are payers and nodes. */
  readonly starts: Uint32Array
  readonly neighbours: Uint32Array
  readonly amounts: Float64Array
  /** What each paid or was paid in all. */
  readonly sums: Float64Array
}

/** The graph as the neighbours of each payer and node: payers first, then nodes. */
function rowsOf({ payers, nodes, payer, node, amount }: PaymentGraph): Rows {
  const total = payers + nodes
  const starts = new Uint32Array(total + 1)
  const counts = (edge: number) =>
    (amount[edge] as number) > 0 && (payer[edge] as number) < payers && (node[edge] as number) < nodes
  for (let edge = 0; edge < amount.length; edge++) {
    if (!counts(edge)) continue
    const from = (payer[edge] as number) + 1
    const to = (node[edge] as number) + payers + 1
    starts[from] = (starts[from] as number) + 1
    starts[to] = (starts[to] as number) + 1
  }
  for (let i = 0; i < total; i++) starts[i + 1] = (starts[i + 1] as number) + (starts[i] as number)
  const free = starts.slice(0, total)
  const ends = starts[total] as number
  const neighbours = new Uint32Array(ends)
  const amounts = new Float64Array(ends)
  const sums = new Float64Array(total)
  const put = (one: number, other: number, value: number) => {
    const place = free[one] as number
    free[one] = place + 1
    neighbours[place] = other
    amounts[place] = value
    sums[one] = (sums[one] as number) + value
  }
  for (let edge = 0; edge < amount.length; edge++) {
    if (!counts(edge)) continue
    const value = amount[edge] as number
    put(payer[edge] as number, (node[edge] as number) + payers, value)
    put((node[edge] as number) + payers, payer[edge] as number, value)
  }
  return { starts, neighbours, amounts, sums }
}

/** One step: everybody gets from each neighbour in proportion to what went between the two. */
function pull({ starts, neighbours, amounts }: Rows, outflow: Float64Array, into: Float64Array): void {
  for (let one = 0; one < into.length; one++) {
    const end = starts[one + 1] as number
    let sum = 0
    for (let place = starts[one] as number; place < end; place++)
      sum += (amounts[place] as number) * (outflow[neighbours[place] as number] as number)
    into[one] = sum
  }
}

function weightsOf(payers: Float64Array, homes: Uint32Array, home: number): Float64Array {
  const weights = new Float64Array(payers.length)
  let back = 0
  for (const one of homes) back += ((payers[one] as number) - home) / homes.length
  // Below this it is rounding: the seeds paid nobody, or nobody else paid whom they paid.
  if (back > 1e-12)
    for (let i = 0; i < payers.length; i++) weights[i] = Math.min(1, sixDecimals((payers[i] as number) / back))
  for (const one of homes) weights[one] = 1
  return weights
}
