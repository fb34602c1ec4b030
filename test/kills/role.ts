/**
 * One role as a process of its own that may be killed at any crossing: `node test/kills/role.ts`, told over IPC what to
 * be. It answers questions of the coordinator and tells it what happens; nobody else talks to it.
 * @module
 */
import { flushCompileCache } from 'node:module'
import { connectRelays } from '../../src/connect.ts'
import { openJournal } from '../../src/journal/index.ts'
import { openKeys } from '../../src/keys.ts'
import { crossingJournal } from './crossing-journal.ts'
import { crossingRelays } from './crossing-parts.ts'
import { fastClock } from './fast-clock.ts'
import { openPayer } from './payer.ts'
import { planted } from './plants.ts'
import { type Death, openPoints } from './points.ts'
import { openSeller } from './seller.ts'
import type { Answers, Parts, Setting } from './setting.ts'
import { openWallets } from './wallets.ts'

async function start(setting: Setting): Promise<void> {
  const { role, folder, url, death } = setting
  const points = openPoints()
  points.arm(death)
  const clock = fastClock(setting.pace)
  const keys = await openKeys()
  const relays = crossingRelays(connectRelays({ urls: [url], keys, clock }), points)
  const journal = crossingJournal(planted(openJournal(`${folder}/${role}.sqlite`), setting.plant, role), points)
  const tell = (news: object) => process.connected && process.send?.(news)
  const parts: Parts = { setting, clock, keys, relays, journal, points, tell }
  const open = { payer: openPayer, node: openSeller, wallet: openWallets }[role]
  const answers: Answers = {
    arm: ask => points.arm(ask['death'] as Death | undefined),
    crossed: () => points.crossed,
    ...(await open(parts)),
  }
  process.on('message', async (ask: Record<string, unknown>) => {
    const answer = await answers[String(ask['say'])]?.(ask)
    tell({ answers: ask['n'], answer })
  })
  tell({ ready: true })
  flushCompileCache()
}

process.once('disconnect', () => process.exit())
process.once('message', (setting: Setting) => {
  start(setting).catch(error => {
    process.stderr.write(`${setting.role}: ${error?.stack ?? error}\n`)
    process.exit(1)
  })
})
