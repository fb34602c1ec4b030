/**
 * The node: an echo that is paid, and pays back what it keeps.
 * @module
 */
import { fromHex } from '../../src/hash.ts'
import { openNode } from '../../src/node/node.ts'
import { writeNwcUri } from '../../src/payments/nwc/uri.ts'
import { nwcWallet } from '../../src/payments/nwc.ts'
import { echoRunner } from '../../src/runners/echo.ts'
import { openSeal } from '../../src/seal.ts'
import { crossingWallet } from './crossing-parts.ts'
import { walletPace } from './payer.ts'
import type { Answers, Parts } from './setting.ts'

/** Six words asked and six words answered cost less than half of the price; eight words cost more than is used. */
const tariff = { promptMsatsPer1k: 500_000n, answerMsatsPer1k: 1_000_000n }

export async function openSeller(parts: Parts): Promise<Answers> {
  const { setting, clock, keys, relays, journal, points, tell } = parts
  const { secrets, url, priceMsats } = setting
  const wallet = crossingWallet(
    nwcWallet({
      uri: writeNwcUri({
        wallet: keys.publicKey(fromHex(secrets.nodeWallet)),
        relays: [url],
        secret: fromHex(secrets.nodeClient),
      }),
      ...{ relays, clock, keys, ...walletPace },
      seal: secret => openSeal({ keys, secret }),
    }),
    points,
  )
  const runner = echoRunner({ clock })
  const node = await openNode({
    ...{ relays, keys, clock, journal },
    ...(setting.metered ? { priceMsats: 0n, tariff } : { priceMsats }),
    secret: fromHex(secrets.node),
    runner,
    payee: wallet,
    refunder: { payer: wallet, network: async () => 'regtest' },
    service: { id: 'kills', name: 'kills', about: 'echo', kinds: runner.kinds, nodeKeys: [] },
    limits: { billSeconds: 90, workSeconds: 600, keepMs: 60_000, requestsPerMinute: 10_000 },
    onEvent: event => event.event === 'trouble' && tell({ trouble: event.says }),
  })
  const isQuiet = () => node.jobs().length === 0 && journal.orders.list({ state: 'planned', limit: 1 }).length === 0
  return {
    quiet: () =>
      new Promise<void>(resolve => {
        const again = () => (isQuiet() ? resolve() : void clock.after(500, again))
        again()
      }),
  }
}
