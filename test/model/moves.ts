/**
 * Everything that can happen next in a world: one entry per choice of the relay, the wallet, the runner, the clock,
 * the user, a hostile peer or a crash.
 * @module
 */
import type { ClientAct, ClientFact, NodeAct, NodeFact } from '../../src/job.ts'
import { isEnd } from '../../src/job.ts'
import {
  answer,
  type Bill,
  type Budget,
  billSeconds,
  costOf,
  type Heart,
  moments,
  partsOf,
  price,
  priceOf,
  type Setting,
  type World,
} from './world.ts'

export type Move = readonly [name: string, next: World]

const with_ = (net: readonly string[], message: string): readonly string[] =>
  net.includes(message) ? net : [...net, message].sort()
const without = (net: readonly string[], message: string): readonly string[] => net.filter(m => m !== message)
const spend = (w: World, what: keyof Budget): World => ({ ...w, left: { ...w.left, [what]: w.left[what] - 1 } })
const bills = (w: World, hash: string, patch: Partial<Bill>): World => ({
  ...w,
  bills: w.bills.map(b => (b.hash === hash ? { ...b, ...patch } : b)),
})

/** All moves out of a world. */
export function moves(heart: Heart, setting: Setting, w: World): Move[] {
  const tell = (world: World, fact: ClientFact): World => {
    const [client, more] = heart.step(world.client, fact)
    return { ...world, client, clientActs: [...world.clientActs, ...more] }
  }
  const tellNode = (world: World, fact: NodeFact): World => {
    if (!world.node) return world
    const [node, more] = heart.step(world.node, fact)
    return { ...world, node, nodeActs: [...world.nodeActs, ...more] }
  }
  const out: Move[] = []
  const push = (name: string, next: World) => out.push([name, next])

  const [clientAct, ...clientRest] = w.clientActs
  if (clientAct) push(`client does ${clientAct.act}`, clientDoes({ ...w, clientActs: clientRest }, clientAct, tell))
  const [nodeAct, ...nodeRest] = w.nodeActs
  if (nodeAct) push(`node does ${nodeAct.act}`, nodeDoes({ ...w, nodeActs: nodeRest }, nodeAct, tellNode, setting))

  for (const message of w.net) {
    const gone = { ...w, net: without(w.net, message) }
    push(`${message} arrives`, arrives(gone, message))
    if (w.left.twice > 0) push(`${message} arrives and stays`, arrives(spend(w, 'twice'), message))
    if (w.left.drop > 0) push(`${message} is lost`, spend(gone, 'drop'))
  }

  function arrives(world: World, message: string): World {
    const [what = '', by = '', hash = '', part = ''] = message.split(':')
    if (what === 'request') {
      if (world.node) return tellNode(world, { fact: 'again' })
      if (world.withdrawn) return world
      const { when, from = 0 } = setting
      const cost = when === 'free' ? 0n : priceOf(setting)
      const begun = from > 0 ? { from, soFar: answer } : {}
      const ask = { id: 'job', customer: 'C', msats: cost, when, parts: partsOf(setting), ...begun }
      const [node, nodeActs] = heart.openNodeJob({ ...ask, now: world.now, ttlSeconds: 100 })
      return { ...world, node, nodeActs }
    }
    if (what === 'cancel') return tellNode({ ...world, withdrawn: true }, { fact: 'cancel', ...costOf(setting) })
    if (what === 'quote') {
      const msats = world.bills.find(b => b.hash === hash)?.msats ?? price
      const bill = { word: 'parts', part: Number(part || 1), parts: partsOf(setting) } as const
      const terms = setting.when === 'parts' ? { terms: bill } : {}
      return tell(world, { fact: 'quote', quote: { by, bolt11: hash, msats, ...terms } })
    }
    if (what === 'processing') return tell(world, { fact: 'processing', by })
    const kept = part ? { creditMsats: BigInt(part) } : {}
    if (what === 'error') return tell(world, { fact: 'error', by, why: { code: 'node', says: '' }, ...kept })
    if (what === 'sealed') {
      const sealed = { content: 'c', hash, digest: 'd' }
      return tell(world, { fact: 'result', by, answer: { ...answer, text: '' }, sealed, ...kept })
    }
    const billed = world.bills.find(b => b.hash === hash)?.msats ?? price
    const bill = hash ? { bill: { bolt11: hash, msats: billed } } : {}
    return tell(world, { fact: 'result', by, answer, ...bill, ...kept })
  }

  for (const bill of w.bills) {
    if (bill.order === 'asked') {
      if (bill.closed) push('wallet is turned away', { ...bills(w, bill.hash, { order: 'failed' }), reply: 'failed' })
      else if (w.now <= bill.expiresAt) push('wallet begins', bills(w, bill.hash, { order: 'begun' }))
      else push('wallet drops a stale order', bills(w, bill.hash, { order: 'none' }))
      if (w.left.walletFails > 0 && !w.reply)
        push('wallet refuses', { ...bills(spend(w, 'walletFails'), bill.hash, { order: 'failed' }), reply: 'failed' })
    }
    const isHold = setting.when === 'hold' && bill.hash !== 'evil'
    if (bill.order === 'begun' && isHold && bill.closed)
      push('money is turned away', { ...bills(w, bill.hash, { order: 'failed' }), reply: 'failed' })
    else if (bill.order === 'begun' && isHold) push('money is held', bills(w, bill.hash, { order: 'held' }))
    else if (bill.order === 'begun')
      push('money arrives', { ...bills(w, bill.hash, { order: 'settled', debits: bill.debits + 1 }), reply: 'paid' })
    if (bill.order === 'held') {
      if (w.watching && w.node && w.node.bill?.hash === bill.hash && !w.node.held)
        push('node learns of held money', tellNode(w, { fact: 'held', hash: bill.hash }))
      if (w.left.heldBack > 0)
        push('held money goes back', {
          ...bills(spend(w, 'heldBack'), bill.hash, { order: 'failed' }),
          reply: 'failed',
        })
    }
    if (bill.order === 'settled' && w.watching && w.node && !w.node.paid && w.node.bill?.hash === bill.hash)
      push(
        'node is notified',
        tellNode(w, { fact: 'paid', paid: { hash: bill.hash, msats: bill.msats, preimage: 'p' } }),
      )
    if (bill.order === 'settled' && w.node?.paid && w.left.twice > 0)
      push('node is notified twice', tellNode(spend(w, 'twice'), { fact: 'paid', paid: w.node.paid }))
  }
  if (w.reply) {
    const { reply, ...rest } = w
    const fact: ClientFact =
      reply === 'paid'
        ? { fact: 'paid', preimage: 'p', feeMsats: 0n }
        : { fact: 'pay-failed', why: { code: 'PAYMENT_FAILED', says: '' } }
    push(`wallet says ${reply}`, tell(rest, fact))
  }
  if (w.client.pay === 'sent' && w.left.walletSilent > 0) {
    const { reply: _, ...rest } = w
    push('wallet stays silent', tell(spend(rest, 'walletSilent'), { fact: 'pay-unknown', now: w.now }))
  }
  // A stale order is never answered: the client's own time-out ends the wait.
  const order = w.bills.find(b => b.hash === w.client.order?.hash)?.order
  if (w.client.pay === 'sent' && !w.reply && order === 'none' && !w.clientActs.some(a => a.act === 'pay'))
    push('client stops waiting for the wallet', tell(w, { fact: 'pay-unknown', now: w.now }))

  if (w.running) {
    push('runner finishes', tellNode({ ...w, running: false }, { fact: 'result', answer, ...costOf(setting) }))
    if (w.node && w.node.part < w.node.parts)
      push('runner ends a part', tellNode({ ...w, running: false }, { fact: 'part-done', answer }))
    if (w.left.runnerDies > 0)
      push(
        'runner dies',
        tellNode(spend({ ...w, running: false }, 'runnerDies'), { fact: 'fault', why: { code: 'runner', says: '' } }),
      )
  }
  if (w.left.cancel > 0 && !isEnd(w.client.state)) push('user cancels', tell(spend(w, 'cancel'), { fact: 'cancel' }))
  if (w.left.clientCrash > 0) {
    const { reply: _, ...rest } = spend(w, 'clientCrash')
    push('client crashes', tell({ ...rest, crashes: w.crashes + 1, clientActs: [] }, { fact: 'restart', now: w.now }))
  }
  if (w.left.nodeCrash > 0 && w.node) {
    const dead = { ...spend(w, 'nodeCrash'), crashes: w.crashes + 1, nodeActs: [], running: false, watching: false }
    push('node crashes', tellNode(dead, { fact: 'restart', now: w.now }))
  }
  if (w.left.hostile > 0 && w.client.state !== 'asked') {
    const h = spend(w, 'hostile')
    const evil = { hash: 'evil', expiresAt: w.now + billSeconds, order: 'none', debits: 0, msats: price } as const
    const more =
      { parts: [`quote:N:evil:${2 + (setting.from ?? 0)}`], hold: ['sealed:N:evil'] }[String(setting.when)] ?? []
    const lies = setting.metered ? ['result:N::99'] : []
    for (const message of ['quote:E:evil', 'result:E', 'error:E', 'quote:N:evil', ...more, ...lies])
      push(`hostile ${message}`, { ...h, net: with_(w.net, message), bills: [...w.bills, evil] })
  }
  const later = moments.find(t => t > w.now)
  // At the end of time everything that anybody still waits for comes due.
  const due = (wake: number | undefined): wake is number => wake !== undefined && (wake <= w.now || later === undefined)
  const clientWake = heart.wakeAt(w.client)
  if (due(clientWake) && !clientAct) push('client wakes', tell(w, { fact: 'time', now: Math.max(w.now, clientWake) }))
  const nodeWake = w.node && heart.wakeAt(w.node)
  if (due(nodeWake) && !nodeAct) push('node wakes', tellNode(w, { fact: 'time', now: Math.max(w.now, nodeWake) }))
  if (later !== undefined) push('time passes', { ...w, now: later })
  return out
}

function clientDoes(w: World, act: ClientAct, tell: (w: World, fact: ClientFact) => World): World {
  switch (act.act) {
    case 'publish':
      return { ...w, net: with_(w.net, 'request') }
    case 'withdraw':
      return { ...w, net: with_(w.net, 'cancel') }
    case 'clear': {
      const bill = w.bills.find(b => b.hash === act.quote.bolt11)
      if (!bill || bill.expiresAt <= w.now || bill.order !== 'none')
        return tell(w, { fact: 'barred', why: { code: 'expired', says: '' } })
      const order = { bolt11: bill.hash, hash: bill.hash, msats: bill.msats, expiresAt: bill.expiresAt }
      return tell(w, { fact: 'cleared', order })
    }
    case 'pay': {
      // A wallet is idempotent by payment hash: a second order for the same hash starts nothing new.
      const bill = w.bills.find(b => b.hash === act.order.hash)
      if (bill?.order === 'settled') return { ...w, reply: 'paid' }
      return bill?.order === 'none' ? bills(w, act.order.hash, { order: 'asked' }) : w
    }
    case 'ask-wallet': {
      const bill = w.bills.find(b => b.hash === act.hash)
      if (bill?.order === 'settled') return tell(w, { fact: 'paid', preimage: 'p', feeMsats: 0n })
      if (bill?.order === 'failed') return tell(w, { fact: 'pay-failed', why: { code: 'PAYMENT_FAILED', says: '' } })
      if (bill?.order === 'begun' || bill?.order === 'held') return tell(w, { fact: 'pay-unknown', now: w.now })
      return tell(w, { fact: 'unsent', now: w.now })
    }
    case 'take-up':
      return tell(w, { fact: 'quote', quote: act.quote })
    case 'open':
      return tell(w, { fact: 'opened', text: 'a' })
    default:
      return w
  }
}

function nodeDoes(w: World, act: NodeAct, tell: (w: World, fact: NodeFact) => World, setting: Setting): World {
  const say = (message: string): World => ({ ...w, said: message, net: with_(w.net, message) })
  switch (act.act) {
    case 'bill': {
      const made = { hash: `h${w.bills.length}`, expiresAt: w.now + billSeconds, msats: act.msats }
      const bill: Bill = { ...made, order: 'none', debits: 0 }
      return tell(
        { ...w, bills: [...w.bills, bill] },
        {
          fact: 'billed',
          bill: { bolt11: bill.hash, hash: bill.hash, msats: act.msats, expiresAt: bill.expiresAt },
        },
      )
    }
    case 'say':
      if (act.status === 'error' && w.node?.creditMsats) return say(`error:N::${w.node.creditMsats}`)
      if (act.status !== 'payment-required') return say(`${act.status}:N`)
      return say(`quote:N:${w.node?.bill?.hash}${w.node && w.node.part > 1 ? `:${w.node.part}` : ''}`)
    case 'watch':
      return { ...w, watching: true }
    case 'ask-wallet': {
      const bill = w.bills.find(b => b.hash === act.hash)
      if (bill?.order === 'settled')
        return tell(w, { fact: 'paid', paid: { hash: act.hash, msats: bill.msats, preimage: 'p' } })
      return tell(w, bill?.order === 'held' ? { fact: 'held', hash: act.hash } : { fact: 'unpaid' })
    }
    case 'spend-credit':
      if (w.keptMsats < act.msats && !w.spentCredit) return tell(w, { fact: 'no-credit' })
      return tell(
        { ...w, keptMsats: w.spentCredit ? w.keptMsats : w.keptMsats - act.msats, spentCredit: true },
        { fact: 'spent' },
      )
    case 'settle': {
      const bill = w.bills.find(b => b.hash === act.hash)
      if (bill?.order === 'settled')
        return tell(w, { fact: 'paid', paid: { hash: act.hash, msats: bill.msats, preimage: 'p' } })
      if (bill?.order !== 'held') return tell(w, { fact: 'unsettled', why: { code: 'unsettled', says: '' } })
      const took = bills(w, act.hash, { order: 'settled', debits: bill.debits + 1 })
      const seen = { ...took, reply: 'paid' as const, tookUnseen: w.tookUnseen || !w.published }
      return tell(seen, { fact: 'paid', paid: { hash: act.hash, msats: bill.msats, preimage: 'p' } })
    }
    case 'release': {
      const bill = w.bills.find(b => b.hash === act.hash)
      if (bill?.order === 'settled')
        return tell(w, { fact: 'paid', paid: { hash: act.hash, msats: bill.msats, preimage: 'p' } })
      const shut = bills(w, act.hash, { closed: true, ...(bill?.order === 'held' ? { order: 'failed' } : {}) })
      return bill?.order === 'held' ? { ...shut, reply: 'failed' } : shut
    }
    case 'run':
      return { ...w, running: true, runs: w.runs + 1 }
    case 'stop':
      return { ...w, running: false }
    case 'deliver': {
      const prepaid = setting.when === 'before' || setting.when === 'parts'
      const good = setting.when === 'hold' ? ['held', 'settled', 'failed'] : ['settled']
      const covered = w.bills.some(b => good.includes(b.order) && b.hash === w.node?.bill?.hash)
      const unpaid = (prepaid || setting.when === 'hold') && !covered
      const hash = w.node?.bill?.hash
      const plain = act.bill ? `result:N:${act.bill.hash}` : setting.when === 'hold' ? `sealed:N:${hash}` : 'result:N'
      const words = act.creditMsats ? `${plain}${plain === 'result:N' ? ':' : ''}:${act.creditMsats}` : plain
      const sent = { ...say(words), published: true }
      return unpaid ? { ...sent, deliveredUnpaid: true } : sent
    }
    case 'credit':
      return { ...w, creditMsats: w.creditMsats + Number(act.msats) }
    case 'repeat':
      return w.said ? { ...w, net: with_(w.net, w.said) } : w
    default:
      return w
  }
}
