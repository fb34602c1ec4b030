/** Shared prices as users run them: two nodes, one of which shares what the other earns. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { npub } from '../src/keys.ts'
import { keeps } from './promises.ts'
import { gridstr, isReady, openTown, type Row, type Running, rows, type Town, textOf } from './spawn.ts'

const echo = ['--runner', 'echo', '--price-msats', '3001']
const last = (lines: readonly string[]): Row => rows(lines.slice(-1))[0] ?? {}
const of = (event: string, job: unknown) => (row: Row) => row['event'] === event && row['job'] === job

describe('a price that is shared', () => {
  let town: Town
  let seller: Running
  let sellerKey = ''
  beforeAll(async () => {
    town = await openTown({ node: echo })
    const share = `${npub(town.nodeKey)}:25`
    seller = gridstr(['node', '--relay', town.url, '--json', ...echo, '--split', share], { GRIDSTR_WALLET: town.payee })
    sellerKey = textOf(await seller.row(isReady), 'pubkey')
  })
  afterAll(async () => {
    expect(await seller.stop()).toBe(0)
    expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })
  })

  keeps('pay.splits', 'the client pays both, and says to whom', async () => {
    const ask = town.ask(['--to', npub(sellerKey), '--max-sats', '4', '--wallet', town.payer, 'one two three'])
    expect((await ask.exit()).code).toBe(0)
    const done = last(ask.out)
    expect(done).toMatchObject({
      ...{ ok: true, text: 'one two three', msats: 3001 },
      splits: [{ pubkey: town.nodeKey, msats: 750, state: 'paid', receipt: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    })
    expect(ask.err.join('\n')).toMatch(/share +750 msats for [0-9a-f]+….* · paid · zap receipt .* holds/)
    expect(await seller.row(of('paid', done['request']))).toMatchObject({ msats: 2251 })
    expect(await town.node.row(of('tip', done['request']))).toMatchObject({ msats: 750 })
  })
})
