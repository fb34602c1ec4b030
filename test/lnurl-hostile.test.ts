import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { GetFault, publicUrl } from '../src/payments/lnurl/get.ts'
import { isPublicAddress, publicGet, type Resolve } from '../src/payments/lnurl/public-get.ts'
import { type LnurlOptions, lnurlBill, lnurlSettled, resolveLnurl } from '../src/payments/lnurl.ts'
import { HASH, invoiceOf, metadata, NOW, payRequest, ZAPPER } from './lnurl-world.ts'

describe('where a service may be', () => {
  test.each([
    ...['https://localhost/', 'https://a.localhost/', 'https://printer.local/', 'https://router/', 'https://router./'],
    ...['https://127.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://0177.0.0.1/', 'https://①②⑦.0.0.1/'],
    ...[
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://10.0.0.1/',
      'https://8.8.8.8/',
      'https://a.internal./',
    ],
    ...['https://hidden.onion/'],
  ])('%s is no name on the public internet', text => expect(publicUrl(text, false)).toBeInstanceOf(GetFault))

  test.each([
    ...[
      'http://wallet.example.com/',
      'ftp://wallet.example.com/',
      'wallet.example.com',
      'https://',
      '',
      'javascript:1',
    ],
    ...['https://wallet.example.com:8443/', 'https://a@wallet.example.com/', 'https://:b@wallet.example.com/'],
  ])('%s is no address to ask', text => expect(publicUrl(text, false)).toBeUndefined())

  test('nor is what is too long', () => {
    expect(publicUrl(`https://wallet.example.com/${'x'.repeat(2_048)}`, false)).toBeUndefined()
  })

  test('a public name is, and the own machine only where a test says so', () => {
    expect(String(publicUrl('https://Wallet.Example.com:443/a?b#c', false))).toBe('https://wallet.example.com/a?b')
    expect(String(publicUrl('http://127.0.0.1:80/', true))).toBe('http://127.0.0.1/')
    expect(publicUrl('http://10.0.0.1/', true)).toBeUndefined()
    expect(publicUrl('https://10.0.0.1/', true)).toBeInstanceOf(GetFault)
  })

  test.each([
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.31.0.1', '192.168.1.1', '198.18.0.1'],
    ...[
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
      'fe80::1',
    ],
    ...['fd00::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', '2001::1', 'localhost', '', '1.2.3'],
  ])('%s is no public address', address => expect(isPublicAddress(address)).toBe(false))
  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])('%s is one', address =>
    expect(isPublicAddress(address)).toBe(true),
  )

  const optionsOf = (resolve: Resolve): LnurlOptions => ({ clock: handClock(), get: publicGet(resolve) })
  test.each<[string, string[]]>([
    ['inside', ['127.0.0.1']],
    ['to the cloud', ['169.254.169.254']],
    ['outside and inside', ['8.8.8.8', '10.0.0.1']],
    ['inside by IPv6', ['::ffff:10.0.0.1']],
    ['nowhere', []],
  ])('a public name that leads %s is not connected to', async (_what, addresses) => {
    const found = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
    expect(
      await resolveLnurl(
        'a@wallet.example.com',
        optionsOf(async () => found),
      ),
    ).toMatchObject({
      ok: false,
      rule: 'private-address',
    })
  })

  test('names are looked up for every connection, so that none turns round between two', async () => {
    let asked = 0
    const options = optionsOf(async () => {
      asked++
      return [{ address: '192.168.0.1', family: 4 }]
    })
    for (let i = 1; i <= 3; i++) {
      await resolveLnurl('a@wallet.example.com', options)
      expect(asked).toBe(i)
    }
  })

  test('a name that nobody knows cannot be reached', async () => {
    const options = optionsOf(() => Promise.reject(new Error('ENOTFOUND')))
    expect(await resolveLnurl('a@wallet.example.com', options)).toMatchObject({ ok: false, rule: 'unreachable' })
  })

  test('a number is not connected to either, should one come so far', async () => {
    const get = publicGet(async () => [])
    const limits = { maxBytes: 1, loopback: false }
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:10.0.0.1]'])
      await expect(get(new URL(`https://${host}/`), limits, new AbortController().signal)).rejects.toBeInstanceOf(
        GetFault,
      )
  })

  test.each([
    '',
    'a',
    'a@',
    '@b',
    'a@b@c',
    'a b@c.com',
    'a@c.com/x',
    'a@[::1]',
    '../x@c.com',
    `${'x'.repeat(65)}@c.com`,
    'ä@c.com',
  ])('"%s" is no Lightning address', async address => {
    const read = await resolveLnurl(address, { clock: handClock(), get: () => Promise.reject(new Error('asked')) })
    expect(read).toMatchObject({ ok: false, rule: 'bad-address' })
  })
})

describe('whatever a service says', () => {
  const runs = 10_000
  const callback = 'https://wallet.example.com/pay'
  const invoices = [21_000n, 21_001n, 1n].map(msats => invoiceOf(msats))
  const others = [invoiceOf(21_000n, { network: 'mainnet' }), invoiceOf(21_000n, { descriptionHash: HASH })]
  const right = invoices[0] ?? ''
  const value: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom(...invoices, ...others, callback, metadata, 'OK', 'ERROR', 'payRequest', ZAPPER, true, null),
    fc.constantFrom(-1, 0, 1, 1.5, 1_000, 21_000, 2 ** 53, Number.MAX_VALUE),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const key = fc.constantFrom(
    ...['tag', 'callback', 'minSendable', 'maxSendable', 'metadata', 'commentAllowed', 'allowsNostr', 'nostrPubkey'],
    ...['pr', 'verify', 'status', 'reason', 'settled', 'preimage', '__proto__', 'constructor'],
  )
  const good = { ...payRequest(callback), pr: right, verify: 'https://wallet.example.com/v' }
  const near = fc.dictionary(key, value, { maxKeys: 3 }).map(other => JSON.stringify({ ...good, ...other }))
  const body = fc.oneof({ weight: 4, arbitrary: near }, fc.json({ maxDepth: 4 }), fc.string({ unit: 'binary' }))
  const status = fc.oneof({ weight: 8, arbitrary: fc.constant(200) }, fc.constantFrom(0, 204, 400, 500))

  test(`no bill is taken but the one that was asked for, and nothing throws: ${runs} conversations`, {
    timeout: 60_000,
  }, async () => {
    let billed = 0
    const clock = handClock(NOW * 1_000)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(status, body), { minLength: 3, maxLength: 3 }), async answers => {
        let turn = 0
        const get = async () => {
          const [code, text] = answers[turn++] ?? [200, '']
          return { status: code, text }
        }
        const read = await resolveLnurl('node@wallet.example.com', { clock, get })
        if (!read.ok) return void expect(read.says).toMatch(/\.$/)
        const { minMsats, maxMsats, metadata: committed } = read.payee
        expect(minMsats > 0n && minMsats <= maxMsats).toBe(true)
        const made = await lnurlBill(read.payee, { msats: 21_000n, network: 'regtest' }, { clock, get })
        if (!made.ok) return void expect(made.says).toMatch(/\.$/)
        billed++
        expect(made.bill.bolt11).toBe(right)
        expect(sha256Hex(committed)).toBe(sha256Hex(metadata))
        const settled = await lnurlSettled(made.bill, { clock, get })
        if (settled.ok) expect(settled).not.toHaveProperty('preimage')
      }),
      { numRuns: runs },
    )
    expect(billed).toBeGreaterThan(runs / 100)
    expect(clock.waiting).toBe(0)
  })
})
