/** The paid story with known secrets: none of them turns up in what processes print or relays carry. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { openPool } from '../relays/pool.ts'
import { wallClock } from '../src/clock.ts'
import { nsec, openKeys } from '../src/keys.ts'
import { keeps } from './promises.ts'
import { isReady, openTown, rows, textOf } from './spawn.ts'
import { doorOf } from './worlds.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const folder = mkdtempSync(join(tmpdir(), 'gridstr-secrets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('secrets', () => {
  keeps('secrets.kept', 'no process prints one and no event carries one, but the wallet that is asked to', async () => {
    const keys = await openKeys()
    const [nodeSecret, clientSecret] = [keys.newSecret(), keys.newSecret()]
    const [nodeFile, clientFile] = [join(folder, 'node.key'), join(folder, 'client.key')]
    writeFileSync(nodeFile, nsec(nodeSecret), { mode: 0o600 })
    writeFileSync(clientFile, hex(clientSecret), { mode: 0o600 })
    const db = join(folder, 'relay.db')
    const town = await openTown({ db, node: ['--runner', 'echo', '--price-msats', '3000', '--key', nodeFile] })
    const seen: Event[] = []
    const spy = openPool({ urls: [town.url], clock: wallClock(), admit: doorOf(keys) })
    await spy.listen([{ since: 0 }], { onEvent: event => seen.push(event) }).live

    const secretOf = (uri: string) => new URL(uri).searchParams.get('secret') ?? ''
    const secrets = [town.payer, town.payee].flatMap(uri => [uri, secretOf(uri), new URL(uri).search])
    for (const one of [nodeSecret, clientSecret]) secrets.push(hex(one), nsec(one))
    for (const secret of secrets) expect(secret.length).toBeGreaterThan(60)

    const walletFile = join(folder, 'wallet')
    writeFileSync(walletFile, town.payer)
    const paid = ['--max-sats', '5', '--key', clientFile, '--wallet-file', walletFile]
    const good = town.ask([...paid, 'one two three'])
    expect((await good.exit()).code).toBe(0)
    expect(textOf(rows(good.out).at(-1) ?? {}, 'preimage')).toMatch(/^[0-9a-f]{64}$/)
    // What goes wrong must not talk either: a price over the cap, a string cut short, a key file that is none.
    const dear = town.ask(['--max-sats', '1', '--key', clientFile, '--wallet', town.payer, 'x'])
    const cut = town.ask(['--max-sats', '5', '--wallet', town.payer.slice(0, -1), 'x'])
    const swapped = town.ask(['--key', walletFile, 'x'])
    const named = town.ask(['--to', nsec(clientSecret), 'x'])
    const codes = await Promise.all([dear, cut, swapped, named].map(async one => (await one.exit()).code))
    expect(codes).toEqual([1, 2, 2, 2])

    // The payment came to the spy as sealed NIP-47 and the job as a sealed request: there was something to find.
    const heardKinds = new Set(seen.map(event => event.kind))
    for (const kind of [5050, 6050, 7000, 9735, 23194, 23195]) expect([...heardKinds]).toContain(kind)
    await spy.close()
    expect(await town.close()).toEqual({ relay: 0, wallet: 0, node: 0 })

    const ready = town.wallet.out.filter(line => rows([line]).some(isReady))
    expect(ready).toHaveLength(1)
    const said = town.processes.flatMap(one => [...one.out, ...one.err]).filter(line => !ready.includes(line))
    const carried = seen.map(event => JSON.stringify(event))
    const all = [...said, ...carried, readFileSync(db, 'latin1')].join('\n').toLowerCase()
    expect(said.length).toBeGreaterThan(20)
    expect(secrets.filter(secret => all.includes(secret.toLowerCase()))).toEqual([])
  })
})
