/**
 * A hostile node: announces a fair price, and does to each customer what the customer's question names.
 * Prints every invoice that it asked anybody to pay.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeInvoice } from '../../src/payments/bolt11.ts'
import { argument, connect, type Event, now, peer, purse, tell } from './wire.ts'

const PRICE = 2_000
const wire = await connect(argument('relay'))
const wallet = await purse(argument('wallet'))
const me = peer(wire)
const nodeKey = await wallet.nodeKey()
const manifest = {
  ...{ v: 1, price_msats: String(PRICE), models: [], nodeKeys: [nodeKey], zappers: [me.pubkey] },
  ...{ custodial: false, relays: [argument('relay')] },
}
let lastPaid = ''

/** What may be said about one job, sealed as the job was. */
function speech(job: Event, move: string) {
  const about = [['e', job.id], ['p', job.pubkey], ['encrypted']]
  const feedback = (tags: string[][]) => me.say(7000, about, me.seal(job.pubkey, JSON.stringify(tags)))
  return {
    bill(bolt11: string, msats = PRICE) {
      tell({ event: 'billed', move, bolt11, msats, job: job.id })
      const amount = ['amount', String(msats), ...(bolt11 === '' ? [] : [bolt11])]
      return feedback([['status', 'payment-required', 'pay'], amount])
    },
    error: (code: string, says: string) =>
      feedback([
        ['status', 'error', says],
        ['code', code],
        ['content', says],
      ]),
    result(text: string, due?: { msats: number; bolt11: string }) {
      if (due) tell({ event: 'billed', move, ...due, job: job.id })
      const amount = due ? [['amount', String(due.msats), due.bolt11]] : []
      return me.say(6050, [...about, ['status', 'success'], ...amount], me.seal(job.pubkey, text))
    },
    async paid(bolt11: string) {
      const preimage = await wallet.paid(bolt11)
      lastPaid = bolt11
      tell({ event: 'got-paid', move, preimage, job: job.id })
    },
  }
}

/** An invoice of nobody: signed by a key that owns no channel. */
const forged = (more: Partial<Parameters<typeof writeInvoice>[0]>) =>
  writeInvoice(
    {
      ...{ network: 'regtest', msats: BigInt(PRICE), timestamp: now(), description: 'x' },
      hash: createHash('sha256').update(randomBytes(32)).digest('hex'),
      secret: randomBytes(32).toString('hex'),
      ...more,
    },
    randomBytes(32),
  )
const amountless = () => {
  const { msats: _, ...rest } = { msats: 0n, network: 'regtest', timestamp: now(), description: 'x' } as const
  const hash = createHash('sha256').update(randomBytes(32)).digest('hex')
  return writeInvoice({ ...rest, hash, secret: randomBytes(32).toString('hex') }, randomBytes(32))
}

type Say = ReturnType<typeof speech>
const moves: Readonly<Record<string, (say: Say) => Promise<unknown>>> = {
  async 'double quote'(say) {
    const [one, two] = [await wallet.bill(PRICE), await wallet.bill(PRICE)]
    await Promise.all([say.bill(one), say.bill(two)])
    await Promise.race([say.paid(one), say.paid(two)])
    await say.bill(two)
    await say.bill(one)
    await say.result('done')
  },
  async 'replayed quote'(say) {
    await say.bill(lastPaid)
    await say.error('more', 'That was paid before. Pay again.')
  },
  'raised price': async say => say.bill(await wallet.bill(4_000), 4_000),
  'dearer invoice': async say => say.bill(await wallet.bill(4_000)),
  'other network': say => say.bill(forged({ network: 'mainnet' })),
  'other payee': say => say.bill(forged({})),
  'open amount': say => say.bill(amountless()),
  'expired invoice': say => say.bill(forged({ timestamp: now() - 7_200, expirySeconds: 60 })),
  'locks for weeks': say => say.bill(forged({ minFinalCltvDelta: 2_016 })),
  'no invoice': say => say.bill(''),
  async 'pay again'(say) {
    const one = await wallet.bill(PRICE)
    await say.bill(one)
    await say.paid(one)
    await say.error('not-received', 'The payment did not arrive. Pay again.')
    await say.bill(await wallet.bill(PRICE))
  },
  async 'result bills again'(say) {
    const one = await wallet.bill(PRICE)
    await say.bill(one)
    await say.paid(one)
    await say.result('done', { msats: PRICE, bolt11: await wallet.bill(PRICE) })
  },
  async 'dear result'(say) {
    await say.result('unasked', { msats: 50_000_000, bolt11: await wallet.bill(50_000_000) })
  },
  async silence(say) {
    const one = await wallet.bill(PRICE)
    await say.bill(one)
    await say.paid(one)
  },
}

await wire.listen([{ kinds: [5050], '#p': [me.pubkey], since: now() - 5 }], job => {
  const tags: string[][] = JSON.parse(me.open(job.pubkey, job.content))
  const move = tags.find(([name]) => name === 'i')?.[1] ?? ''
  const play = moves[move]
  if (!play) throw new Error(`no move "${move}"`)
  void play(speech(job, move)).then(() => tell({ event: 'played', move, job: job.id }))
})
await me.say(
  31990,
  [
    ['d', 'x'],
    ['k', '5050'],
  ],
  JSON.stringify({ name: 'fair', about: '', amount: '2', encryptionSupported: true, manifest }),
)
tell({ ready: true, pubkey: me.pubkey, moves: Object.keys(moves) })
process.once('SIGTERM', () => process.exit(0))
