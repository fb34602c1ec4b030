/**
 * A wallet process that waits to be killed: `node ldk-kill-child.ts <store> <run> <rows until it kills itself, or 0> [finish]`.
 * Says what it found, then every word that its wallets tell it, one JSON line each.
 * @module
 */
import { writeSync } from 'node:fs'
import { wallClock } from '../src/clock.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import type { Wallet } from '../src/payments/payment.ts'
import { diskStore } from './ldk-sqlite.ts'
import { faults, orderOf, secretOf } from './ldk-world.ts'

const [path = '', run = '', rows = '0', finish] = process.argv.slice(2)
let said = 0
const say = (row: object): void => void writeSync(1, `${JSON.stringify({ n: said++, ...row })}\n`)

const store = diskStore(path)
let left = Number(rows)
store.during = () => {
  if (left > 0 && --left === 0) process.kill(process.pid, 'SIGKILL')
}
const pair = await ldkPair({ clock: wallClock(), store })
const { payer, payee } = pair

const found = async (wallet: Wallet) => {
  const all = await wallet.transactions({ unpaid: true, limit: 100_000 })
  return all.map(({ type, hash, state, preimage }) => ({ type, hash, state, preimage }))
}
const report = async () => say({ faults: await faults(pair), payer: await found(payer), payee: await found(payee) })

const pays = async (from: Wallet, to: Wallet, key: string) => {
  const bill = await to.bill({ key, msats: 1_000n + BigInt(said), expirySeconds: 86_400, description: '' })
  say({ told: 'billed', hash: bill.hash })
  const end = await from.pay(orderOf(bill))
  if (end.state === 'paid') say({ told: 'paid', hash: bill.hash, preimage: end.preimage })
}

const holds = async (key: string) => {
  const { hash } = secretOf(key)
  const terms = { key, hash, msats: 2_000n, expirySeconds: 86_400, description: key }
  const bill = await payee.holdBill(terms)
  const held = new Promise<void>(resolve => payee.watchHeld(hash, () => resolve()))
  void payer.pay(orderOf(bill))
  await held
  say({ told: 'held', hash })
}

/** Settles or cancels what this process or one before it holds. */
const decides = async () => {
  for (const { hash, description = '' } of await payee.transactions({
    type: 'incoming',
    unpaid: true,
    limit: 100_000,
  })) {
    if ((await payee.billState(hash)).state !== 'held') continue
    if (hash < '8') {
      const { preimage } = await payee.settle(secretOf(description).preimage)
      say({ told: 'settled', hash, preimage })
    } else {
      await payee.cancel(hash)
      say({ told: 'cancelled', hash })
    }
  }
}

await report()
if (finish !== undefined) {
  await decides()
  await report()
  await pair.close()
} else
  for (let i = 0; ; i++) {
    const key = `${run} ${i}`
    if (i % 4 === 3) await decides()
    else if (i % 4 === 1) await holds(key)
    else await (i % 8 === 4 ? pays(payee, payer, key) : pays(payer, payee, key))
  }
