/**
 * Breadth-first over every reachable world, with the shortest path to whatever breaks an invariant.
 * @module
 */
import { isEnd } from '../../src/job.ts'
import { moves } from './moves.ts'
import { begin, type Heart, keyOf, parts, price, type Setting, type World } from './world.ts'

export interface Violation {
  readonly invariant: string
  /** What happened, in order, up to and including the step that broke it. */
  readonly path: readonly string[]
}

export interface Report {
  readonly states: number
  readonly moves: number
  readonly violation?: Violation
  /** True when the limit ended the search before it was complete. */
  readonly cut: boolean
}

/** What must hold in every world, and between a world and the next. Returns the sentence that is broken. */
function broken(w: World, before: World | undefined, setting: Setting): string | undefined {
  const debits = w.bills.reduce((sum, b) => sum + b.debits, 0)
  const mostDebits = setting.when === 'parts' ? parts : 1
  if (debits > mostDebits || w.bills.some(b => b.debits > 1)) return 'nobody pays one job twice'
  const left =
    w.client.spentMsats + (w.client.pay === undefined || w.client.pay === 'failed' ? 0n : (w.client.order?.msats ?? 0n))
  if ((w.client.creditMsats ?? 0n) > left) return 'a client counts no credit above what it pays'
  const cost = w.node?.costMsats
  if (cost !== undefined && (cost < 0n || cost > price)) return 'a job costs no more than it was billed'
  if (setting.when === 'parts' && w.client.spentMsats > price) return 'parts never cost more than the price'
  if (w.tookUnseen) return 'held money is taken only after the answer was published'
  if (w.deliveredUnpaid) return 'nothing unpaid is delivered beyond credit'
  if (w.runs > (setting.when === 'parts' ? parts : 1) + w.crashes) return 'nothing is computed more than once per life'
  if (!setting.open && w.bills.some(b => b.hash === 'evil' && b.debits > 0 && w.client.node !== 'N'))
    return 'only the chosen node is paid'
  if (before && isEnd(before.client.state) && before.client.state !== w.client.state)
    return 'a client job never leaves its end'
  if (before?.node && isEnd(before.node.state) && before.node.state !== w.node?.state)
    return 'a node job never leaves its end'
  if (isEnd(w.client.state) && w.clientActs.length === 0) {
    const moving = w.bills.some(
      b => (b.order === 'asked' && w.now <= b.expiresAt && !b.closed) || b.order === 'begun' || b.order === 'held',
    )
    if (moving && w.client.pay !== 'paid') return 'no client job ends while its wallet may still pay'
    const known = w.client.partsPaid - (setting.from ?? 0)
    if (debits > known) return 'a client that paid knows it'
  }
  if (w.node?.when === 'parts' && w.node.part <= (setting.from ?? 0))
    return 'what was bought elsewhere is not billed again'
  if (w.client.state === 'delivered' && !w.client.answer) return 'delivered means that there is an answer'
  return undefined
}

/** What must hold where nothing can happen any more. */
function unsettled(w: World, setting: Setting): string | undefined {
  if (!isEnd(w.client.state)) return 'every client job ends'
  if (w.node && !isEnd(w.node.state)) return 'every accepted job ends'
  const own = w.bills.filter(b => b.hash !== 'evil')
  const paidToNode = own.reduce((sum, b) => sum + BigInt(b.debits) * b.msats, 0n)
  const node = w.node
  const bought = node?.state === 'delivered' || node?.state === 'cancelled'
  const earlier = own.filter(b => node?.settled.includes(b.hash)).reduce((sum, b) => sum + b.msats, 0n)
  const last = node?.paid && bought ? node.paid.msats : 0n
  const wrong = setting.metered ? unmetered(w, setting, paidToNode) : undefined
  if (wrong) return wrong
  const credited = w.node?.when === 'credit' ? 0n : (node?.creditMsats ?? 0n)
  // Money for a job that has ended is noted as paid and credited too: it counts once.
  if (!setting.metered && w.watching && earlier + (last > credited ? last : credited) !== paidToNode)
    return 'every msat that arrived is earned or credited, once'
  if (setting.when === 'credit' && node && w.spentCredit && !bought && w.keptMsats + node.creditMsats !== price)
    return 'credit that bought nothing is kept'
  if (setting.when === 'hold' && paidToNode > 0n && node?.state !== 'delivered')
    return 'held money is taken for a delivered answer only'
  return undefined
}

/** Where tokens are counted, what came is the cost and what is kept; the answer, and nothing else, is paid. */
function unmetered(w: World, setting: Setting, paidToNode: bigint): string | undefined {
  const { node, client } = w
  if (!node) return undefined
  const came = paidToNode + (w.spentCredit ? price : 0n)
  const counted = node.state === 'delivered' || (node.state === 'cancelled' && node.costMsats !== undefined)
  const owed = setting.when === 'after' && !node.paid ? 0n : (node.costMsats ?? 0n)
  const free = counted ? owed : earnedBefore(w)
  if (w.watching && came !== free + node.creditMsats) return 'what was paid is cost and credit'
  const heard = client.state === 'delivered' && client.pay === 'paid' && node.state === 'delivered'
  const late = w.left.hostile !== setting.budget.hostile || w.bills.some(b => b.debits > 0 && b.hash === 'evil')
  if (heard && !late && (client.creditMsats ?? 0n) > node.creditMsats)
    return 'a customer is told of no more than is kept'
  return undefined
}

/** Parts that were made, and what was bought by withdrawing only after the work had begun. */
function earnedBefore({ node, bills }: World): bigint {
  const earlier = bills.filter(b => node?.settled.includes(b.hash)).reduce((sum, b) => sum + b.msats, 0n)
  return earlier
}

/** Searches until done or `limit` states are known. */
export function check(heart: Heart, setting: Setting, limit = 2_000_000): Report {
  const first = begin(heart, setting)
  const worlds: (World | undefined)[] = [first]
  const known = new Map<string, number>([[keyOf(first), 0]])
  const parent: number[] = [-1]
  const how: string[] = ['']
  const back: number[][] = [[]]
  const ended: number[] = []
  let count = 0
  const path = (index: number, last?: string): string[] => {
    const steps = last ? [last] : []
    for (let i = index; i > 0; i = parent[i] ?? 0) steps.unshift(how[i] ?? '')
    return steps
  }
  for (let index = 0; index < worlds.length; index++) {
    const w = worlds[index]
    if (!w) continue
    worlds[index] = undefined
    let stuck = true
    for (const [name, next] of moves(heart, setting, w)) {
      count++
      const invariant = broken(next, w, setting)
      if (invariant)
        return { states: known.size, moves: count, cut: false, violation: { invariant, path: path(index, name) } }
      const key = keyOf(next)
      let to = known.get(key)
      if (to === undefined) {
        to = worlds.length
        if (to >= limit) return { states: known.size, moves: count, cut: true }
        known.set(key, to)
        worlds.push(next)
        parent.push(index)
        how.push(name)
        back.push([])
      }
      if (to !== index) {
        stuck = false
        back[to]?.push(index)
      }
    }
    if (stuck) {
      const invariant = unsettled(w, setting)
      if (invariant)
        return { states: known.size, moves: count, cut: false, violation: { invariant, path: path(index) } }
      ended.push(index)
    }
  }
  // From every world an end can be reached: no path can lose itself for ever.
  const reaches = new Uint8Array(worlds.length)
  const queue = ended
  for (const index of queue) reaches[index] = 1
  for (let i = queue.pop(); i !== undefined; i = queue.pop())
    for (const from of back[i] ?? []) {
      if (reaches[from]) continue
      reaches[from] = 1
      queue.push(from)
    }
  const lost = reaches.indexOf(0)
  if (lost >= 0)
    return {
      states: known.size,
      moves: count,
      cut: false,
      violation: { invariant: 'an end stays reachable', path: path(lost) },
    }
  return { states: known.size, moves: count, cut: false }
}
