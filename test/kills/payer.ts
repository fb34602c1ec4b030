/**
 * The customer: asks paid jobs when told, and takes up what its earlier life had asked.
 * @module
 */
import type { Announcement, WishedTerms } from '../../kinds/index.ts'
import { type Outcome, openClient } from '../../src/client/client.ts'
import { fromHex } from '../../src/hash.ts'
import { writeNwcUri } from '../../src/payments/nwc/uri.ts'
import { nwcWallet } from '../../src/payments/nwc.ts'
import { openSeal } from '../../src/seal.ts'
import { crossingWallet } from './crossing-parts.ts'
import type { Answers, Parts } from './setting.ts'

/** How long NIP-47 questions and payments may take, in fast milliseconds. */
export const walletPace = { payMs: 5_000, askMs: 30_000, repeatMs: 1_500, pollMs: 1_000, pollMaxMs: 5_000 }

export async function openPayer(parts: Parts): Promise<Answers> {
  const { setting, clock, keys, relays, journal, points, tell } = parts
  const { secrets, url, priceMsats, metered = false } = setting
  const wallet = crossingWallet(
    nwcWallet({
      uri: writeNwcUri({
        wallet: keys.publicKey(fromHex(secrets.payerWallet)),
        relays: [url],
        secret: fromHex(secrets.payerClient),
      }),
      ...{ relays, clock, keys, ...walletPace },
      seal: secret => openSeal({ keys, secret }),
    }),
    points,
  )
  const client = openClient({
    ...{ relays, keys, clock, journal },
    secret: fromHex(secrets.payer),
    ...{ payer: wallet, network: 'regtest' as const },
    ...(metered ? {} : { payee: wallet }),
  })
  const node = keys.publicKey(fromHex(secrets.node))
  const announcement: Announcement = {
    ...{ id: 'kills', kinds: [5050], topics: [], name: 'kills', about: 'echo', encrypted: true, models: [], v: 1 },
    ...{ nodeKeys: [], zappers: [node], custodial: false, relays: [url] },
    ...(metered ? {} : { priceMsats }),
  }
  let waiting = 0
  const quiet = new Set<() => void>()

  const isQuiet = () => waiting === 0 && journal.shelf('claims').size === 0
  const look = () => {
    if (isQuiet()) for (const one of quiet) one()
  }
  const follow = (outcome: Promise<Outcome>) => {
    waiting++
    outcome
      .then(({ ok, request, text, code, says, msats }) =>
        tell({ outcome: { job: request.id, ok, text: text ?? '', code: code ?? '', says: says ?? '', msats } }),
      )
      .catch(error => tell({ broken: String(error) }))
      .finally(() => {
        waiting--
        look()
      })
  }

  for (const { outcome } of client.resume()) follow(outcome)
  return {
    ask({ text, terms }) {
      const wished = terms as WishedTerms | undefined
      follow(
        client.ask({
          text: String(text),
          node: { pubkey: node, announcement },
          capMsats: priceMsats,
          ttlSeconds: 900,
          ...(wished ? { terms: wished, maxTokens: metered ? 8 : 6 } : {}),
        }),
      )
    },
    /** Answers once nothing is asked, owed or claimed any more. */
    quiet: () =>
      new Promise<void>(resolve => {
        const done = () => {
          quiet.delete(done)
          resolve()
        }
        quiet.add(done)
        const again = () => {
          look()
          if (quiet.has(done)) clock.after(500, again)
        }
        again()
      }),
  }
}
