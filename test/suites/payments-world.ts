/**
 * The stage of the payments suite, and how it waits: for an event in real time, by moving the clock where one is in hand.
 * @module
 */
import { vi } from 'vitest'
import type { Network, Wallet } from '../../src/payments/payment.ts'

/** Two wallets that reach each other. The payer can spend at least 1,000,000 msats and the payee can receive them. */
export interface PaymentWorld {
  readonly payee: Wallet
  readonly payer: Wallet
  readonly network: Network
  /** Unix seconds as both wallets see them. */
  now(): number
  /** Moves time on. Only where the rail's clock is in hand; real time otherwise. */
  pass?(ms: number): Promise<void>
  /** Loses (or again delivers) the notifications of the payee's wallet. Only where the rail can. */
  loseNotifications?(lost: boolean): void
  /** True while no money appeared or vanished. Only where the whole net is in hand. */
  conserved?(): boolean
  close(): Promise<void>
}

/** Waits for a promise, moving the clock where it stands still otherwise. */
export async function untilDone<T>(world: PaymentWorld, promise: Promise<T>): Promise<T> {
  if (!world.pass) return promise
  let over = false
  const done = promise.finally(() => {
    over = true
  })
  for (let i = 0; i < 100 && !over; i++) await world.pass(500)
  return done
}

/** Waits until `check` no longer throws. */
export async function untilTrue(world: PaymentWorld, check: () => Promise<void>): Promise<void> {
  if (!world.pass) return vi.waitFor(check, { timeout: 10_000, interval: 20 })
  for (let i = 0; i < 50; i++) {
    const holds = await check().then(
      () => true,
      () => false,
    )
    if (holds) return
    await world.pass(500)
  }
  await check()
}
