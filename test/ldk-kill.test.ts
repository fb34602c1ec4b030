import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Row, root, start } from './spawn.ts'

const KILLS = 40
const LANES = 4
/** For one wait on a busy machine. */
const PATIENCE_MS = 120_000

interface Found {
  readonly type: string
  readonly hash: string
  readonly state: string
  readonly preimage?: string
}

/** What one wallet knows of a hash, by direction. */
const rowsOf = (report: Row, hash: string): readonly Found[] =>
  [...(report['payer'] as Found[]), ...(report['payee'] as Found[])].filter(row => row.hash === hash)

const EXPECTED: Readonly<Record<string, (rows: readonly Found[], preimage: unknown) => boolean>> = {
  billed: rows => rows.some(({ type }) => type === 'incoming'),
  paid: (rows, preimage) =>
    rows.length === 2 && rows.every(row => row.state === 'settled' && row.preimage === preimage),
  settled: (rows, preimage) =>
    rows.length === 2 && rows.every(row => row.state === 'settled' && row.preimage === preimage),
  cancelled: rows => rows.length === 2 && rows.every(({ state }) => state === 'failed'),
  held: rows => rows.length === 2,
}

describe(`a wallet process killed ${KILLS} times`, () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gridstr-ldk-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** One store, killed again and again: by itself inside a commit, or by its parent after a word of it. */
  const lane = async (name: number, told: Row[], reports: Row[]): Promise<void> => {
    const program = join(root, 'test/ldk-kill-child.ts')
    const child = (run: string, rows: number, ...more: string[]) =>
      start(`lane ${name}`, process.execPath, [program, join(folder, `${name}.db`), run, String(rows), ...more], {
        // Most of a start is reading the library's thousand files.
        env: { NODE_COMPILE_CACHE: join(folder, 'compiled') },
      })
    const check = (out: readonly string[]) => {
      for (const line of out) {
        const row = JSON.parse(line) as Row
        if (row['told'] !== undefined) told.push(row)
        else {
          expect(row['faults'], `lane ${name}`).toEqual([])
          for (const { told: what, hash, preimage } of told) {
            const rows = rowsOf(row, String(hash))
            expect(EXPECTED[String(what)]?.(rows, preimage), `${what} ${hash}: ${JSON.stringify(rows)}`).toBe(true)
          }
          reports.push(row)
        }
      }
    }
    let seed = name * 7919 + 1
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % below
    }
    for (let kill = 0; kill < KILLS / LANES; kill++) {
      const inside = kill % 2 === 0
      const running = child(`${name}-${kill}`, inside ? 1 + random(100) : 0)
      if (!inside) {
        const words = 1 + random(10)
        await running.row(row => Number(row['n']) >= words, PATIENCE_MS)
        await running.kill()
      }
      expect(await running.exit(PATIENCE_MS)).toMatchObject({ signal: 'SIGKILL' })
      expect(running.err).toEqual([])
      check(running.out)
    }
    const last = child('last', 0, 'finish')
    expect(await last.exit(PATIENCE_MS)).toMatchObject({ code: 0 })
    check(last.out)
    const sent = (reports.at(-1)?.['payer'] ?? []) as readonly Found[]
    const left = sent.filter(row => row.type === 'outgoing' && row.state === 'pending')
    expect(left).toEqual([])
  }

  test('loses no msat and no word, pays nothing twice, and leaves nothing under way', async () => {
    const lanes = Array.from({ length: LANES }, () => ({ told: [] as Row[], reports: [] as Row[] }))
    await Promise.all(lanes.map(({ told, reports }, at) => lane(at + 1, told, reports)))
    const said = lanes.flatMap(({ told }) => told).map(({ told }) => told)
    for (const what of Object.keys(EXPECTED)) expect(said).toContain(what)
  }, 600_000)
})
