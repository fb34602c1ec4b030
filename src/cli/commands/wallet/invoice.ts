/**
 * `wallet invoice`: asks for money. The invoice is in the journal before it is shown.
 * @module
 */
import { seconds } from '../../../clock.ts'
import { toHex } from '../../../hash.ts'
import { randomBytes } from '../../../keys/curve.ts'
import type { Bill, BillState, Payee } from '../../../payments/payment.ts'
import { jsonLine, quoted, UsageError } from '../../command.ts'
import { short } from '../../screen.ts'
import type { Desk, Verb } from './verb.ts'
import { inSats, utc } from './words.ts'

const MAX_SATS = 2_100_000_000_000_000
const TICK_MS = 1_000
/** A payment that left before the invoice expired may come after it. */
const LATE_SECONDS = 10

export const invoice: Verb = {
  name: 'invoice',
  options: { description: { type: 'string' }, expiry: { type: 'string' }, wait: { type: 'boolean' } },
  async run(args, desk) {
    const { io, json, screen, refuse } = desk
    const [said = '', ...more] = args.rest
    const sats = /^[0-9]{1,16}$/.test(said) ? Number(said) : 0
    if (sats < 1 || sats > MAX_SATS || more.length > 0)
      throw new UsageError(
        `${said === '' ? 'No amount' : quoted(said)}: write whole sats, such as gridstr wallet invoice 100`,
      )
    const description = args.text('description') ?? ''
    if (new TextEncoder().encode(description).length > 600)
      throw new UsageError('--description: an invoice holds 600 bytes of it; write less.')
    const expirySeconds = args.number('expiry', 60, 31_536_000) ?? 3_600
    const msats = BigInt(sats) * 1000n
    const { wallet } = await desk.wallet()
    screen.progress('wallet', 'asking the wallet …')
    const bill = await wallet.bill(
      { key: `own ${toHex(randomBytes(16))}`, msats, expirySeconds, description },
      io.signal,
    )
    const { hash, bolt11, expiresAt } = bill
    await desk.write(({ bills }) =>
      bills.add({ hash, purpose: 'own', bolt11, msats, at: seconds(io.clock), expiresAt }),
    )
    screen.line('invoice', `${inSats(msats)} · until ${utc(expiresAt)} · hash ${short(hash)}`)
    io.out(json ? jsonLine({ ok: true, bolt11, hash, msats, expiresAt }) : bolt11)
    if (!args.flag('wait')) return 0

    const settled = (await untilPaid(wallet, bill, desk)) ?? (await lastLook(wallet, hash, io.signal))
    if (io.signal.aborted && !settled)
      return refuse(
        'stopped',
        'Stopped waiting. The invoice can still be paid: "gridstr wallet history" shows whether it was.',
        { hash },
      )
    const at = seconds(io.clock)
    if (!settled) {
      await desk.write(({ bills }) => bills.end(hash, { state: 'void', at }))
      return refuse('expired', 'The invoice expired and nothing came: make another.', { hash })
    }
    const { preimage } = settled
    await desk.write(({ bills }) =>
      bills.end(hash, { state: 'paid', msats: settled.msats, at, ...(preimage === '' ? {} : { preimage }) }),
    )
    screen.line('paid', `${inSats(settled.msats)} came`)
    if (json) io.out(jsonLine({ ok: true, paid: true, hash, msats: settled.msats }))
    return 0
  },
}

/** The end of a wait asks once more: news may have been lost since the last question. */
async function lastLook(wallet: Payee, hash: string, signal: AbortSignal): Promise<Settled | undefined> {
  if (signal.aborted) return undefined
  const state = await wallet.billState(hash, signal)
  return state.state === 'settled' ? state : undefined
}

type Settled = Extract<BillState, { state: 'settled' }>

/** The settlement; `undefined` when the invoice expired or the process is asked to end. */
function untilPaid(wallet: Payee, bill: Bill, { io, screen }: Desk): Promise<Settled | undefined> {
  return new Promise(resolve => {
    let cancel = () => {}
    const finish = (settled?: Settled) => {
      cancel()
      stop()
      io.signal.removeEventListener('abort', stopped)
      resolve(settled)
    }
    const stopped = () => finish()
    const stop = wallet.watch(bill.hash, finish)
    const tick = () => {
      const left = bill.expiresAt - seconds(io.clock)
      if (left < -LATE_SECONDS) return finish()
      screen.progress(
        'waiting',
        `for ${inSats(bill.msats)} · ${Math.max(0, Math.floor(left / 60))} min ${Math.max(0, left % 60)} s left · Ctrl-C stops waiting`,
      )
      cancel = io.clock.after(TICK_MS, tick)
    }
    io.signal.addEventListener('abort', stopped, { once: true })
    if (io.signal.aborted) finish()
    else tick()
  })
}
