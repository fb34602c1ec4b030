/**
 * `wallet regtest`: two real Lightning wallets on a play network, served over NIP-47.
 * @module
 */
import { openKeys } from '../../../keys.ts'
import { ldkPair } from '../../../payments/ldk.ts'
import { type Io, jsonLine, readArguments, untilStopped } from '../../command.ts'
import { openScreen } from '../../screen.ts'
import { pool, relayOption, relayUrls, shareWallet } from '../../wiring.ts'

/** Runs until the process is asked to end; gives the exit status. */
export async function regtest(argv: readonly string[], io: Io): Promise<number> {
  const args = readArguments(argv, { ...relayOption, json: { type: 'boolean' } })
  const urls = relayUrls(args)
  const screen = openScreen(io)
  const keys = await openKeys()
  screen.progress('wallet', 'starting two Lightning nodes …')
  const pair = await ldkPair({ clock: io.clock })
  const relays = pool(urls, keys, io.clock)
  const sharing = Promise.all([
    shareWallet(pair.payer, relays, keys, io.clock),
    shareWallet(pair.payee, relays, keys, io.clock),
  ])
  const shared = await Promise.race([sharing, untilStopped(io.signal).then(() => undefined)])
  if (shared) {
    const [payer, payee] = shared
    const spendable = (await pair.payer.balance()) / 1000n
    screen.line(
      'wallet',
      `two Lightning nodes, one channel; the payer can spend ${spendable} play sats · Ctrl-C ends them`,
    )
    if (relays.state().every(({ state }) => state !== 'open'))
      screen.line('deaf', `no relay answers yet (${urls.join(', ')}): nobody can reach the wallets until one does`)
    if (args.flag('json')) io.out(jsonLine({ ready: true, payer: payer.uri, payee: payee.uri }))
    else {
      io.out(`payer ${payer.uri}`)
      io.out(`payee ${payee.uri}`)
    }
    await untilStopped(io.signal)
    await Promise.all([payer.close(), payee.close()])
  }
  await relays.close()
  await pair.close()
  return 0
}
