/**
 * `wallet balance`.
 * @module
 */
import { jsonLine } from '../../command.ts'
import type { Verb } from './verb.ts'
import { inSats } from './words.ts'

export const balance: Verb = {
  name: 'balance',
  options: {},
  async run(_args, desk) {
    const { wallet } = await desk.wallet()
    desk.screen.progress('wallet', 'asking the wallet …')
    const msats = await wallet.balance(desk.io.signal)
    desk.screen.line('balance', 'what this connection may see; a budget may allow less')
    desk.io.out(desk.json ? jsonLine({ ok: true, msats }) : inSats(msats))
    return 0
  },
}
