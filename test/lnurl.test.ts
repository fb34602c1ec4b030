import { afterEach, describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import {
  fetchGet,
  type LnurlOptions,
  type LnurlPayee,
  lnurlBill,
  lnurlSettled,
  resolveLnurl,
} from '../src/payments/lnurl.ts'
import {
  HASH,
  invoiceOf,
  json,
  metadata,
  NOW,
  PREIMAGE,
  payRequest,
  type Route,
  type Service,
  service,
  wellKnown,
  ZAPPER,
} from './lnurl-world.ts'

const zap = JSON.stringify({ kind: 9734, content: 'Thanks, & more + than that' })
const opened: Service[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
})
async function open(routes: (origin: string) => Record<string, Route>): Promise<Service> {
  const one = await service(routes)
  opened.push(one)
  return one
}
const clock = () => handClock(NOW * 1_000)
/** Both ways of asking: that of Node, and that of a browser. */
const ways: [string, () => LnurlOptions][] = [
  ['Node', () => ({ clock: clock(), loopback: true })],
  ['fetch', () => ({ clock: clock(), loopback: true, get: fetchGet(fetch) })],
]
const honest = (origin: string): Record<string, Route> => ({
  [wellKnown]: json(payRequest(`${origin}/pay?id=7`)),
  '/pay': (url, answer, request) => {
    const said = url.searchParams.get('nostr') ?? metadata
    const pr = invoiceOf(BigInt(url.searchParams.get('amount') ?? 0), { descriptionHash: sha256Hex(said) })
    json({ pr, routes: [], verify: `${origin}/verify` })(url, answer, request)
  },
  '/verify': json({ status: 'OK', settled: true, preimage: PREIMAGE, pr: '' }),
})

describe.each(ways)('a Lightning address, by %s', (_way, options) => {
  test('becomes an invoice for exactly what was asked, and tells when it was paid', async () => {
    const { address, asked } = await open(honest)
    const read = await resolveLnurl(address, options())
    if (!read.ok) throw new Error(read.says)
    expect(read.payee).toMatchObject({ minMsats: 1_000n, maxMsats: 1_000_000n, zapper: ZAPPER, commentChars: 20 })
    const made = await lnurlBill(read.payee, { msats: 21_000n, network: 'regtest', comment: 'for a & b' }, options())
    if (!made.ok) throw new Error(made.says)
    expect(made.bill).toMatchObject({ hash: HASH, msats: 21_000n, expiresAt: NOW + 600 })
    expect(made.bill).not.toHaveProperty('zapper')
    expect(Object.fromEntries(asked[1]?.searchParams ?? [])).toEqual({ id: '7', amount: '21000', comment: 'for a & b' })
    expect(await lnurlSettled(made.bill, options())).toEqual({ ok: true, settled: true, preimage: PREIMAGE })
  })

  test('takes a zap request, byte for byte', async () => {
    const { address } = await open(honest)
    const read = await resolveLnurl(address, options())
    if (!read.ok) throw new Error(read.says)
    const made = await lnurlBill(read.payee, { msats: 1_000n, network: 'regtest', zapRequestJson: zap }, options())
    expect(made).toMatchObject({ ok: true, bill: { zapper: ZAPPER } })
  })

  test.each<[string, string, Route]>([
    [
      'sends elsewhere',
      'redirect',
      (url, answer) => void answer.writeHead(302, { location: `${url.origin}/other` }).end(),
    ],
    ['answers without end', 'too-large', (_url, answer) => void answer.writeHead(200).end('x'.repeat(70_000))],
    ['has an error of its own', 'http', (_url, answer) => void answer.writeHead(500).end('oops')],
    ['talks HTML', 'not-json', (_url, answer) => void answer.writeHead(200).end('<html>')],
    ['complains', 'service-error', json({ status: 'ERROR', reason: 'no\u001b[31m such name' }, 404)],
    ['hangs up', 'unreachable', (_url, _answer, request) => void request.socket.destroy()],
    ['asks for a login', 'not-payrequest', json({ ...payRequest('https://wallet.example.com/'), tag: 'login' })],
  ])('a service that %s: %s', async (_what, rule, route) => {
    const { address, asked } = await open(() => ({ [wellKnown]: route, '/other': json({}) }))
    const read = await resolveLnurl(address, options())
    expect(read).toMatchObject({ ok: false, rule })
    if (!read.ok) expect(read.says).not.toMatch(/[\u0000-\u001f]/)
    expect(asked).toHaveLength(1)
  })

  test('a service that is silent is left after five seconds, or at once when told', async () => {
    const { address, next } = await open(() => ({ [wellKnown]: () => {} }))
    const hand = clock()
    const [came, silent] = [next(), resolveLnurl(address, { ...options(), clock: hand })]
    await came
    expect(hand.waiting).toBe(1)
    await hand.advance(5_000)
    expect(await silent).toMatchObject({ ok: false, rule: 'timeout' })
    const [again, ends] = [next(), new AbortController()]
    const withdrawn = resolveLnurl(address, options(), ends.signal)
    await again
    ends.abort()
    expect(await withdrawn).toMatchObject({ ok: false, rule: 'cancelled' })
    expect(await resolveLnurl(address, options(), ends.signal)).toMatchObject({ ok: false, rule: 'cancelled' })
  })
})

const payee: LnurlPayee = {
  ...{ address: 'node@wallet.example.com', callback: 'https://wallet.example.com/pay', metadata, commentChars: 0 },
  ...{ minMsats: 1_000n, maxMsats: 1_000_000n, zapper: ZAPPER },
}
/** A service that says one thing, without any wire. */
const saying = (value: unknown): LnurlOptions => ({
  clock: clock(),
  get: async () => ({ status: 200, text: JSON.stringify(value) }),
})
const ask = { msats: 21_000n, network: 'regtest' } as const

describe('an offer of a service', () => {
  const callback = 'https://wallet.example.com/pay'
  const readOf = (more: Record<string, unknown>) => resolveLnurl(payee.address, saying(payRequest(callback, more)))
  test.each<[string, Record<string, unknown>]>([
    ['more at least than at most', { minSendable: 2_000, maxSendable: 1_999 }],
    ['nothing at least', { minSendable: 0 }],
    ['no most', { maxSendable: undefined }],
    ['half an msat', { minSendable: 1.5 }],
    ['money in words', { maxSendable: '1000000' }],
    ['no callback', { callback: undefined }],
    ['metadata that is a list and no text', { metadata: [['text/plain', 'x']] }],
    ['metadata without a text', { metadata: '[["image/png","x"]]' }],
  ])('with %s is none', async (_what, more) => {
    expect(await readOf(more)).toMatchObject({ ok: false, rule: 'not-payrequest' })
  })

  test('of one price alone is one', async () => {
    expect(await readOf({ minSendable: 2_000, maxSendable: 2_000 })).toMatchObject({ ok: true })
  })

  test.each([{ allowsNostr: false }, { allowsNostr: 'yes' }, { nostrPubkey: 'npub1' }, { nostrPubkey: undefined }])(
    'names no zapper where it says %j',
    async more => {
      const read = await readOf(more)
      expect(read).toMatchObject({ ok: true })
      if (read.ok) expect(read.payee).not.toHaveProperty('zapper')
    },
  )

  test.each([1_000n, 1_000_000n])('reaches to %d msats', async msats => {
    expect(await lnurlBill(payee, { ...ask, msats }, saying({ pr: invoiceOf(msats) }))).toMatchObject({ ok: true })
  })
})

describe('an invoice of a service', () => {
  test.each<[string, string, unknown]>([
    ['none', 'bad-invoice', {}],
    ['garbage', 'bad-invoice', { pr: 'lnbcrt210n1garbage' }],
    ['for more', 'amount-mismatch', { pr: invoiceOf(21_001n) }],
    ['for less', 'amount-mismatch', { pr: invoiceOf(20_999n) }],
    ['on another network', 'wrong-network', { pr: invoiceOf(21_000n, { network: 'mainnet' }) }],
    ['for something else', 'description-hash', { pr: invoiceOf(21_000n, { descriptionHash: HASH }) }],
    ['in words', 'description-hash', { pr: invoiceOf(21_000n, { description: metadata }) }],
    ['of yesterday', 'expired', { pr: invoiceOf(21_000n, { timestamp: NOW - 86_400 }) }],
    ['for five seconds', 'expired', { pr: invoiceOf(21_000n, { expirySeconds: 5 }) }],
    ['and a complaint', 'service-error', { status: 'ERROR', pr: invoiceOf(21_000n) }],
  ])('%s: %s', async (_what, rule, said) => {
    expect(await lnurlBill(payee, ask, saying(said))).toMatchObject({ ok: false, rule })
  })

  test('to the metadata where a zap request was sent is for something else', async () => {
    const said = saying({ pr: invoiceOf(21_000n) })
    expect(await lnurlBill(payee, ask, said)).toMatchObject({ ok: true })
    expect(await lnurlBill(payee, { ...ask, zapRequestJson: zap }, said)).toMatchObject({ rule: 'description-hash' })
  })

  test.each<[string, Partial<LnurlPayee>, Parameters<typeof lnurlBill>[1]]>([
    ['out-of-range', {}, { ...ask, msats: 999n }],
    ['out-of-range', {}, { ...ask, msats: 1_000_001n }],
    ['comment-too-long', {}, { ...ask, comment: 'Hi' }],
    ['bad-url', { callback: 'http://wallet.example.com/pay' }, ask],
    ['bad-url', { callback: 'https://wallet.example.com:8443/pay' }, ask],
    ['bad-url', { callback: 'https://me:secret@wallet.example.com/pay' }, ask],
    ['bad-url', { callback: 'file:///etc/passwd' }, ask],
    ['private-address', { callback: 'https://169.254.169.254/latest/meta-data' }, ask],
  ])('is not even asked for: %s', async (rule, other, what) => {
    const never: LnurlOptions = { clock: clock(), get: () => Promise.reject(new Error('asked')) }
    expect(await lnurlBill({ ...payee, ...other }, what, never)).toMatchObject({ ok: false, rule })
  })

  test('no zap request goes to a service that takes none', async () => {
    const { zapper: _zapper, ...plain } = payee
    expect(await lnurlBill(plain, { ...ask, zapRequestJson: zap }, saying({}))).toMatchObject({ rule: 'no-zaps' })
  })

  test('is paid when the service says so, and proven only by the preimage', async () => {
    const bill = { bolt11: '', hash: HASH, msats: 1n, expiresAt: 0, verifyUrl: 'https://wallet.example.com/v' }
    const { verifyUrl: _verify, ...mute } = bill
    expect(await lnurlSettled(mute, saying({}))).toMatchObject({ ok: false, rule: 'no-verify' })
    expect(await lnurlSettled(bill, saying({ settled: false, preimage: null }))).toEqual({ ok: true, settled: false })
    expect(await lnurlSettled(bill, saying({ settled: true, preimage: HASH }))).toEqual({ ok: true, settled: true })
    expect(await lnurlSettled(bill, saying({ settled: 'yes' }))).toEqual({ ok: true, settled: false })
  })
})
