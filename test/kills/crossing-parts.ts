/**
 * Relays and wallets whose every call is a crossing before it, after it was made, and after it was answered.
 * @module
 */
import type { Relays } from '../../relays/index.ts'
import type { HoldPayee, Wallet } from '../../src/payments/payment.ts'
import type { Points } from './points.ts'

export function crossingRelays(inner: Relays, { cross }: Points): Relays {
  return {
    ...inner,
    get urls() {
      return inner.urls
    },
    async publish(event, options) {
      cross(`publish ${event.kind}:before`)
      const answer = inner.publish(event, options)
      cross(`publish ${event.kind}:sent`)
      const published = await answer
      cross(`publish ${event.kind}:taken`)
      return published
    },
  }
}

type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>

const around =
  ({ cross }: Points): Around =>
  async (name, call) => {
    cross(`wallet ${name}:before`)
    try {
      const answer = call()
      cross(`wallet ${name}:sent`)
      return await answer
    } finally {
      cross(`wallet ${name}:after`)
    }
  }

export function crossingWallet(inner: Wallet, points: Points): Wallet {
  const call = around(points)
  return {
    ...inner,
    bill: (ask, signal) => call('bill', () => inner.bill(ask, signal)),
    billState: (hash, signal) => call('billState', () => inner.billState(hash, signal)),
    pay: (order, signal) => call('pay', () => inner.pay(order, signal)),
    payState: (hash, signal) => call('payState', () => inner.payState(hash, signal)),
    watch: (hash, onSettled) =>
      inner.watch(hash, state => {
        points.cross('wallet settled:before')
        onSettled(state)
        points.cross('wallet settled:after')
      }),
    ...(inner.hold
      ? {
          async hold(signal) {
            const holder = await inner.hold?.(signal)
            return holder && crossingHolder(holder, points, call)
          },
        }
      : {}),
  }
}

function crossingHolder(inner: HoldPayee, { cross }: Points, call: Around): HoldPayee {
  return {
    holdBill: (ask, signal) => call('holdBill', () => inner.holdBill(ask, signal)),
    settle: (preimage, signal) => call('settle', () => inner.settle(preimage, signal)),
    cancel: (hash, signal) => call('cancel', () => inner.cancel(hash, signal)),
    watchHeld: (hash, onHeld) =>
      inner.watchHeld(hash, held => {
        cross('wallet held:before')
        onHeld(held)
        cross('wallet held:after')
      }),
  }
}
