/**
 * A hostile bystander: whoever asks anybody anything is sent invoices over 50,000 sats by it, in every shape in which a
 * node could bill, for that job and for jobs that never were.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { argument, connect, type Event, now, peer, purse, tell } from './wire.ts'

const PRICE = 50_000_000
const wire = await connect(argument('relay'))
const wallet = await purse(argument('wallet'))
const me = peer(wire)

// Made beforehand, so as to speak before the node that was asked.
let ready = await wallet.bill(PRICE)

async function pester(job: Event) {
  const bolt11 = ready
  tell({ event: 'billed', bolt11, job: job.id })
  const amount = ['amount', String(PRICE), bolt11]
  const required = ['status', 'payment-required', 'pay now']
  const never = randomBytes(32).toString('hex')
  for (const id of [job.id, never]) {
    const about = [
      ['e', id, '', 'job'],
      ['p', job.pubkey],
    ]
    const sealed = [...about, ['encrypted']]
    const seal = (tags: string[][]) => me.seal(job.pubkey, JSON.stringify(tags))
    const said = [
      me.sign(7000, [...about, required, amount]),
      me.sign(6050, [...about, ['request', JSON.stringify(job)], amount], 'the answer that you ordered'),
      me.sign(7000, sealed, seal([required, amount])),
      me.sign(6050, [...sealed, amount], me.seal(job.pubkey, 'the answer that you ordered')),
      me.sign(7000, [...about, ['p', argument('node')], required, amount]),
      me.sign(26800, [...sealed, ['seq', '0']], me.seal(job.pubkey, 'the answer that you ordered')),
    ]
    for (const event of said) {
      await wire.publish(event)
      await me.wrap(job.pubkey, event)
    }
    await me.say(9735, [...about, ['bolt11', bolt11], ['description', JSON.stringify(job)], ['preimage', never]])
  }
  ready = await wallet.bill(PRICE)
  tell({ event: 'pestered', job: job.id })
}

await wire.listen([{ kinds: [5050], since: now() - 5 }], job => void pester(job))
tell({ ready: true, pubkey: me.pubkey })
process.once('SIGTERM', () => process.exit(0))
