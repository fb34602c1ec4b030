/** The product as a user runs it: relay, wallets, node and client as processes of their own, by the command line alone. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectWallet } from '../src/cli/wiring.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { keeps } from './promises.ts'
import { gridstr, isReady, openTown, type Row, rows, type Town, textOf } from './spawn.ts'

const hex64 = /^[0-9a-f]{64}$/
const last = (lines: readonly string[]): Row => rows(lines.slice(-1))[0] ?? {}
const is = (event: string) => (row: Row) => row['event'] === event
const echo = ['--runner', 'echo', '--price-msats', '3000']

describe('one paid answer', () => {
  let town: Town
  beforeAll(async () => {
    town = await openTown({ node: echo })
  })
  afterAll(async () => {
    expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
  })

  test('the client pays under its cap and ends with the answer, the proof and the receipt', async () => {
    const ask = town.ask(['--max-sats', '5', '--wallet', town.payer, 'one two three'])
    expect((await ask.exit()).code).toBe(0)
    const done = last(ask.out)
    expect(done).toMatchObject({ ok: true, text: 'one two three', msats: 3000 })
    for (const id of ['request', 'result', 'receipt', 'preimage']) expect(textOf(done, id)).toMatch(hex64)
    expect(await town.node.row(is('paid'))).toMatchObject({ msats: 3000 })
    expect(await town.node.row(is('receipt'))).toMatchObject({ id: done['receipt'] })
  })

  test('without --max-sats nothing is paid, and the refusal says how to allow the price', async () => {
    const ask = town.ask(['--wallet', town.payer, 'one two three'])
    expect((await ask.exit()).code).toBe(1)
    expect(last(ask.out)).toMatchObject({ ok: false, code: 'over-cap' })
    expect(textOf(last(ask.out), 'error')).toContain('--max-sats 3')
    expect(ask.err.join('\n')).toContain('--max-sats 3')
  })

  test('a node that nobody knows is said at once', async () => {
    const to = 'f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9'
    const ask = town.ask(['--to', to, 'anybody there?'])
    expect((await ask.exit()).code).toBe(1)
    expect(last(ask.out)).toMatchObject({ ok: false, code: 'no-node' })
  })
})

describe('an outage in mid-job', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-processes-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const story = async (db?: string) => {
    const node = [...echo, '--delay-ms', '1500']
    const town = await openTown({ node, ...(db === undefined ? {} : { db }) })
    const ask = town.ask(['--max-sats', '5', 'still here'], { GRIDSTR_WALLET: town.payer })
    await town.node.row(is('running'))
    await town.relay.kill()
    await town.relayAgain()
    expect((await ask.exit()).code).toBe(0)
    expect(last(ask.out)).toMatchObject({ ok: true, text: 'still here', msats: 3000 })
    expect(rows(town.node.out).filter(is('paid'))).toHaveLength(1)
    // The wallets ride on the same relay and serve on.
    const preimage = last(ask.out)['preimage']
    for (const uri of [town.payer, town.payee]) {
      const wallet = connectWallet(uri, await openKeys(), wallClock())
      expect(await wallet.transactions()).toMatchObject([{ state: 'settled', msats: 3000n, preimage }])
      await wallet.close()
    }
    expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
  }

  keeps(
    'relay.outage',
    'the relay process is killed and comes back with its database',
    () => story(join(folder, 'db')),
    60_000,
  )
  keeps('relay.outage', 'the relay process is killed and comes back with nothing', () => story(), 60_000)
})

describe('the model that is shipped', () => {
  test('demo: the last line proves the payment, and the process ends by itself', async () => {
    const demo = gridstr(['demo', '--json'])
    expect((await demo.exit()).code).toBe(0)
    const done = last(demo.out)
    expect(done).toMatchObject({ ok: true, msats: 2000, model: 'nano' })
    for (const id of ['request', 'result', 'receipt']) expect(textOf(done, id)).toMatch(hex64)
    expect(done['feedback']).toEqual([expect.stringMatching(hex64), expect.stringMatching(hex64)])
    const invoice = readInvoice(textOf(done, 'bolt11'))
    const opened = createHash('sha256')
      .update(Buffer.from(textOf(done, 'preimage'), 'hex'))
      .digest('hex')
    expect(invoice).toMatchObject({ ok: true, invoice: { hash: opened, msats: 2000n, network: 'regtest' } })
    for (const figure of ['tokens', 'firstTokenMs', 'ms']) expect(done[figure]).toBeGreaterThan(0)
    expect(textOf(done, 'text')).toContain('Nostr')
  })

  test('a free node of its own answers a question from standard arguments', async () => {
    const relay = gridstr(['relay', '--port', '0', '--json'])
    const url = textOf(await relay.row(isReady), 'url')
    const node = gridstr(['node', '--relay', url, '--json'])
    await node.row(isReady)
    const ask = gridstr(['ask', '--relay', url, '--json', 'What is Nostr?'])
    expect((await ask.exit()).code).toBe(0)
    expect(last(ask.out)).toMatchObject({ ok: true, msats: 0 })
    expect(textOf(last(ask.out), 'text')).toContain('Nostr')
    for (const one of [node, relay]) expect(await one.stop()).toBe(0)
  })
})
