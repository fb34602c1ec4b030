/** `gridstr wallet pay` under every order of faults, stops and repeats: the money leaves at most once, and both books agree. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SimFaults } from '../src/payments/sim.ts'
import { billOf, openTestDesk, tempHome } from './cli-wallet-desk.ts'

const moment = fc.record({
  pay: fc.constantFrom<SimFaults['pay'][]>(
    'ok',
    'fail',
    'hang',
    'unknown-then-paid',
    'unknown-then-failed',
    'unproven',
  ),
  reach: fc.constantFrom<SimFaults['reach'][]>('ok', 'ok', 'ok', 'down'),
  delayMs: fc.constantFrom(0, 1_000, 30_000),
  /** Asked to end after so long: what would wait for ever is. */
  stopMs: fc.constantFrom(0, 600, 5_000, 60_000),
  /** How a payment that hangs ends before the next run. */
  end: fc.constantFrom('paid', 'failed', 'neither'),
  yes: fc.constantFrom(true, true, true, false),
})

const home = tempHome()

test('whatever goes wrong, however often it is tried', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 3 }), async moments => {
      const desk = openTestDesk({ home, stepMs: 2_500 })
      const { bolt11, hash } = await billOf(desk, 21n)
      const pay = ['pay', bolt11, '--max-sats', '30', '--json']
      const finish = (end: 'paid' | 'failed') => {
        try {
          desk.net.finish(hash, end)
        } catch {
          // Nothing is under way.
        }
      }
      const saidPaid: boolean[] = []
      for (const { pay: fault, reach, delayMs, stopMs, end, yes } of moments) {
        desk.mine.faults = { pay: fault, reach, delayMs }
        const stop = new AbortController()
        desk.clock.after(stopMs, () => stop.abort())
        const said = await desk.run([...pay, ...(yes ? ['--yes'] : [])], { signal: stop.signal })
        expect(said.code).toBeLessThan(2)
        saidPaid.push(said.code === 0)
        desk.mine.faults = {}
        // Failed is said of what can never leave any more.
        const { state } = await desk.mine.payState(hash)
        if (desk.journal.orders.get(hash)?.state === 'failed') expect(['failed', 'unsent']).toContain(state)
        if (end !== 'neither') finish(end)
      }
      // Things become quiet: what hangs ends, and the command is run once more without faults.
      finish('failed')
      await desk.clock.advance(60_000)
      const last = await desk.run([...pay, '--yes'])
      const spent = 1_000_000_000n - (await desk.mine.balance())
      expect(desk.net.conserved()).toBe(true)
      expect([0n, 21_000n]).toContain(spent)
      const state = desk.journal.orders.get(hash)?.state
      expect(spent === 21_000n).toBe(state === 'paid' || state === 'unproven')
      expect(last.code === 0).toBe(state === 'paid')
      // Paid is never said before it is, and never taken back.
      if (saidPaid.includes(true)) expect(last.code).toBe(0)
      expect(await desk.theirs.balance()).toBe(1_000_000_000n + spent)
    }),
    { numRuns: 1_000 },
  )
}, 120_000)
