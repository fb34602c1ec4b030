/** NDK's own DVM classes as customer and as provider: our node and our client must get on with what they really send. */
import NDK, {
  NDKDVMJobFeedback,
  NDKDVMJobResult,
  NDKDVMRequest,
  NDKDvmJobFeedbackStatus,
  NDKEvent,
  NDKPrivateKeySigner,
} from '@nostr-dev-kit/ndk'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AskEvent, chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { simNet } from '../src/payments/sim.ts'
import { type Market, openMarket, walletMsats } from './market.ts'
import { clock, openStage, type Stage } from './stage.ts'

let stage: Stage
const open: NDK[] = []
beforeEach(async () => {
  stage = await openStage()
})
afterEach(async () => {
  for (const ndk of open.splice(0)) for (const relay of ndk.pool.relays.values()) relay.disconnect()
  await stage.close()
})

async function openNdk(): Promise<{ ndk: NDK; signer: NDKPrivateKeySigner }> {
  const signer = NDKPrivateKeySigner.generate()
  const options = { enableOutboxModel: false, autoConnectUserRelays: false, initialValidationRatio: 1 }
  const ndk = new NDK({ explicitRelayUrls: [stage.url], signer, lowestValidationRatio: 1, ...options })
  open.push(ndk)
  await ndk.connect(2_000)
  return { ndk, signer }
}

/** Standing subscription that is live when this resolves. */
const hear = (ndk: NDK, filter: Parameters<NDK['subscribe']>[0], onEvent: (event: NDKEvent) => void): Promise<void> =>
  new Promise(resolve => {
    ndk.subscribe(filter, { closeOnEose: false, groupable: false, onEvent, onEose: () => resolve() })
  })

describe('NDK asks our node', () => {
  interface Heard {
    readonly statuses: string[]
    readonly text: string
  }

  /** Publishes an NDK job and pays by hand what it is billed. */
  async function askByNdk(market: Market, how: { sealed: boolean; named: boolean }): Promise<Heard> {
    const { ndk, signer } = await openNdk()
    const provider = ndk.getUser({ pubkey: market.node.pubkey })
    const request = new NDKDVMRequest(ndk)
    request.kind = 5050
    request.addInput('one two three', 'text')
    request.addParam('max_tokens', '50')
    request.bid = 9_000
    request.output = 'text/plain'
    if (how.sealed) await request.encryption(provider, signer)
    else if (how.named) request.dvm = provider
    await request.sign(signer)

    const statuses: string[] = []
    const text = await new Promise<string>((resolve, reject) => {
      const onEvent = async (event: NDKEvent) => {
        if (event.kind === 7000) {
          const said = await NDKDVMJobFeedback.from(event)
          statuses.push(said.status ?? '?')
          const [, msats, bolt11] = said.getMatchingTags('amount')[0] ?? []
          if (said.status !== 'payment-required') return
          const invoice = readInvoice(bolt11 ?? '')
          if (!invoice.ok) return reject(new Error(invoice.says))
          const order = { bolt11: invoice.invoice.bolt11, hash: invoice.invoice.hash, msats: BigInt(msats ?? 0) }
          expect(await market.payer.pay(order)).toMatchObject({ state: 'paid' })
        } else {
          const result = NDKDVMJobResult.from(event)
          if (how.sealed) await result.decrypt(provider, signer, 'nip44')
          expect(result.jobRequestId).toBe(request.id)
          resolve(result.result ?? '')
        }
      }
      void hear(ndk, [{ kinds: [7000, 6050 as number], '#e': [request.id] }], event => {
        onEvent(event).catch(reject)
      }).then(() => request.publish())
    })
    return { statuses, text }
  }

  for (const sealed of [false, true])
    for (const priceMsats of [0n, 3_000n])
      test(`${sealed ? 'encrypted' : 'plain'}, ${priceMsats === 0n ? 'free' : 'paid'}`, async () => {
        const market = await openMarket(stage, { priceMsats })
        const { statuses, text } = await askByNdk(market, { sealed, named: true })
        expect(text).toBe('one two three')
        // An answer that is there at once needs no word that it is under way.
        const bills = statuses.filter(status => status !== 'processing')
        expect(bills).toEqual(priceMsats === 0n ? [] : ['payment-required'])
        expect(await market.payer.balance()).toBe(walletMsats - priceMsats)
        if (sealed) expect(JSON.stringify(stage.seen)).not.toContain('one two three')
        await market.close()
      })

  test('a job that names nobody reaches an open node', async () => {
    const market = await openMarket(stage, { priceMsats: 0n, node: { open: true } })
    expect((await askByNdk(market, { sealed: false, named: false })).text).toBe('one two three')
    await market.close()
  })
})

describe('our client asks an NDK provider', () => {
  interface Trade {
    readonly status: string
    readonly priceMsats?: bigint
    readonly sealed: boolean
    /** The bill comes with the result. */
    readonly after?: boolean
  }

  /** A provider as the documentation of NDK writes one, and a customer of ours. */
  async function trade({ status, priceMsats = 0n, sealed, after = false }: Trade) {
    const net = simNet({ clock, pollMs: 20 })
    const payee = net.wallet({ alias: 'ndk', msats: 0n })
    const payer = net.wallet({ alias: 'us', msats: walletMsats })
    const { ndk, signer } = await openNdk()
    const handler = new NDKEvent(ndk, {
      kind: 31990,
      content: JSON.stringify({ name: 'ndk', supportsEncryption: sealed }),
    } as ConstructorParameters<typeof NDKEvent>[1])
    handler.tags = [
      ['d', 'ndk'],
      ['k', '5050'],
    ]
    await handler.publish()
    const serving: Promise<void>[] = []
    const serve = async (event: NDKEvent) => {
      const request = NDKDVMRequest.from(event)
      const customer = ndk.getUser({ pubkey: event.pubkey })
      if (sealed) {
        await request.decrypt(customer, signer, 'nip44')
        request.tags.push(...(JSON.parse(request.content) as string[][]))
      }
      const answer = `ndk heard: ${request.getMatchingTags('i')[0]?.[1]}`
      const bill =
        priceMsats > 0n
          ? await payee.bill({ key: event.id, msats: priceMsats, expirySeconds: 60, description: 'ndk' })
          : undefined
      const deliver = async () => {
        const result = new NDKDVMJobResult(ndk)
        result.jobRequest = event
        result.result = answer
        if (bill) result.setAmount(Number(priceMsats), after ? bill.bolt11 : undefined)
        if (sealed) {
          result.tags.push(['encrypted'])
          await result.encrypt(customer, signer, 'nip44')
        }
        await result.publish()
      }
      const feedback = request.createFeedback(status)
      feedback.ndk = ndk
      if (bill && !after) {
        feedback.tags.push(['amount', String(priceMsats), bill.bolt11])
        payee.watch(bill.hash, () => void serving.push(deliver()))
      }
      await feedback.publish()
      if (!bill || after) await deliver()
    }
    await hear(ndk, [{ kinds: [5050 as number], '#p': [(await signer.user()).pubkey] }], event => {
      serving.push(serve(event))
    })

    const { keys } = stage
    const relays = stage.connect()
    const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 0n })
    if (!choice.ok) throw new Error(choice.says)
    const { pubkey, announcement } = choice.offer
    const events: AskEvent[] = []
    const client = openClient({ relays, keys, secret: keys.newSecret(), clock, payer, network: 'regtest' })
    const outcome = await client.ask({
      text: 'hello',
      node: { pubkey, announcement },
      // Who opens no sealed job is asked in the open only by those who say so.
      ...(announcement.encrypted ? {} : { privacy: 0 }),
      capMsats: 5_000n,
      ttlSeconds: 20,
      onEvent: event => void events.push(event),
    })
    const paid = walletMsats - (await payer.balance())
    const earned = await payee.balance()
    await Promise.all(serving)
    await payer.close()
    await payee.close()
    return { outcome, events, paid, earned }
  }

  const required = NDKDvmJobFeedbackStatus.PayReq
  test('the enum of NDK spells it with an underscore', () => expect(required).toBe('payment_required'))

  test.each<[string, Trade]>([
    ['free, plain', { status: 'processing', sealed: false }],
    ['free, encrypted', { status: 'processing', sealed: true }],
    ['free, a status that nobody knows', { status: NDKDvmJobFeedbackStatus.Scheduled, sealed: false }],
    ['paid before, as NIP-90 spells it', { status: 'payment-required', priceMsats: 3_000n, sealed: false }],
    ['paid before, as NDK spells it', { status: required, priceMsats: 3_000n, sealed: false }],
    ['paid before, encrypted', { status: required, priceMsats: 3_000n, sealed: true }],
    ['paid after', { status: 'processing', priceMsats: 3_000n, sealed: false, after: true }],
  ])('%s', async (_, how) => {
    const { outcome, events, paid, earned } = await trade(how)
    expect(outcome).toMatchObject({ ok: true, text: 'ndk heard: hello', msats: how.priceMsats ?? 0n })
    expect([paid, earned]).toEqual([how.priceMsats ?? 0n, how.priceMsats ?? 0n])
    expect(events.flatMap(event => (event.event === 'asked' ? [event.sealed] : []))).toEqual([how.sealed])
    if (how.sealed) expect(JSON.stringify(stage.seen)).not.toContain('ndk heard')
  })

  test('a price over the cap is not paid', async () => {
    const { outcome, paid } = await trade({ status: required, priceMsats: 5_001n, sealed: false })
    expect(outcome).toMatchObject({ ok: false, code: 'over-cap', msats: 0n })
    expect(paid).toBe(0n)
  })
})
