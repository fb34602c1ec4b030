/**
 * A wallet service over a wire whose process can be killed at any moment. For the tests of restarts.
 * @module
 */
import { memoryStore } from '../src/payments/nwc/store.ts'
import { serviceWorld } from './nwc-wire.ts'
import { serve } from './nwc-world.ts'

export const never = () => new Promise<never>(() => {})

/** A service whose process can be killed at once: from then on it writes and says nothing. */
export function restartWorld(options: Parameters<typeof serviceWorld>[0] = {}) {
  const store = memoryStore()
  const made = serviceWorld({ store, budgetMsats: 50_000n, ...options })
  let service = made.service
  const calls: string[] = []
  const wallet = made.mine
  const real = wallet.pay.bind(wallet)
  wallet.pay = (order, signal) => {
    calls.push(order.hash)
    return real(order, signal)
  }
  const start = async (more: Parameters<typeof serve>[4] = {}) => {
    service = serve(made.conn, wallet, made.line.relays, made.clock, { store, budgetMsats: 50_000n, ...more })
    await service.ready
    await made.clock.advance(100)
  }
  const kill = () => service.close()
  const used = async () => {
    const { result } = await made.ask('get_budget')
    return result?.['used_budget']
  }
  const debited = async () => 1_000_000n - (await wallet.balance())
  /** The next payments die in the wallet's hands: before they left, or once they were made. */
  const dieIn = (where: 'before' | 'after' | 'nothing') => {
    wallet.pay = async (order, signal) => {
      if (where === 'before') return never()
      calls.push(order.hash)
      const end = await real(order, signal)
      return where === 'after' ? never() : end
    }
  }
  return { ...made, store, start, kill, used, debited, calls, dieIn, wallet }
}
