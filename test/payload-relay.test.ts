/** Ten megabytes each way over a relay of its own process, with a database and default limits, killed and started again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Published } from '../relays/relay.ts'
import { openKeys } from '../src/keys.ts'
import { openPayloads } from '../src/payload/index.ts'
import { openSeal } from '../src/seal.ts'
import { fakeRelay } from './fake-relay.ts'
import { clock, expiresAt, noise } from './payload-world.ts'
import { keeps } from './promises.ts'
import { gridstr, isReady, textOf } from './spawn.ts'

const TEN_MB = 10 * 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), 'gridstr-payload-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Default limits but for the pause after an outage, which is time and nothing else. */
const limits = { backoffMs: [20, 100] } as const

keeps(
  'payload.whole',
  '10 MB there and 10 MB back, sealed, with the relay killed in the middle of each put and each fetch',
  async () => {
    const keys = await openKeys()
    const db = join(folder, 'relay.db')
    const start = (port: string) => gridstr(['relay', '--port', port, '--db', db, '--json'])
    let relay = start('0')
    const url = textOf(await relay.row(isReady), 'url')
    let kills = 0
    const kill = async () => {
      kills++
      await relay.kill()
      relay = start(new URL(url).port)
      await relay.row(isReady)
    }
    const person = () => {
      const secret = keys.newSecret()
      const relays = openPool({ urls: [url], clock, admit: () => undefined, limits })
      return {
        secret,
        pubkey: keys.publicKey(secret),
        relays,
        seal: openSeal({ keys, secret }),
        payloads: openPayloads({ relays, keys, clock }),
      }
    }
    const [client, node] = [person(), person()]
    const restarts: Promise<void>[] = []
    const killAt = (place: number) => ({
      onProgress: ({ done }: { done: number }) => void (done === place && restarts.push(kill())),
    })

    for (const [from, to, seed] of [
      [client, node, 7],
      [node, client, 8],
    ] as const) {
      const bytes = noise(TEN_MB, seed)
      const put = await from.payloads.put(bytes, { secret: from.secret, to: to.pubkey, expiresAt, ...killAt(100) })
      if (!put.ok) throw new Error(put.says)
      expect(put.value.chunks).toBe(342)
      const got = await to.payloads.get(put.id, {
        ...{ mostBytes: TEN_MB, author: from.pubkey, decrypt: to.seal.decrypt },
        ...killAt(150),
      })
      if (!got.ok) throw new Error(`${got.rule}: ${got.says}`)
      expect(Buffer.compare(got.bytes, bytes)).toBe(0)
    }
    await Promise.all(restarts)
    expect(kills).toBe(4)
    for (const { relays } of [client, node]) {
      expect(relays.state()[0]?.reconnects).toBeGreaterThanOrEqual(2)
      await relays.close()
    }
    expect(await relay.stop()).toBe(0)
  },
  60_000,
)

test('a relay that is down or says nothing holds up no put, as long as another one takes it', async () => {
  const keys = await openKeys()
  const relay = await startRelay({ clock, verify: keys.verify })
  const [dead, mute] = [await startRelay({ clock, verify: keys.verify }), await fakeRelay({ ok: () => undefined })]
  await dead.close()
  const told: Published[] = []
  const open = () =>
    openPool({ urls: [dead.url, mute.url, relay.url], clock, admit: () => undefined, limits: { publishMs: 100 } })
  const [sender, reader] = [open(), open()]
  const publish: typeof sender.publish = async (event, options) => {
    const published = await sender.publish(event, options)
    told.push(published)
    return published
  }
  const put = await openPayloads({ relays: { ...sender, publish }, keys, clock }).put(noise(30_720 * 40), {
    ...{ secret: keys.newSecret(), expiresAt },
  })
  const got = await openPayloads({ relays: reader, keys, clock }).get(put.ok ? put.id : '', { mostBytes: TEN_MB })
  expect(got).toEqual({ ok: true, bytes: noise(30_720 * 40) })
  // Those of the first window waited for the silent one, and no others.
  expect(told.filter(({ enough }) => !enough).length).toBeLessThanOrEqual(8)
  for (const one of [sender, reader, relay]) await one.close()
  await mute.end()
})
