/** A router that is killed at work: one chain, one answer to each request, the same bytes each time. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Event, parseEvent, type Routing, routing } from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { openJournal } from '../src/journal/index.ts'
import { routerWorld } from './router-world.ts'

const child = join(import.meta.dirname, 'router-kill-child.ts')

const live = (args: readonly string[]) =>
  new Promise<{ lines: string[]; killed: boolean }>(resolve => {
    execFile(process.execPath, [child, ...args], { maxBuffer: 1 << 24 }, (error, stdout) =>
      resolve({ lines: stdout.split('\n').filter(line => line !== ''), killed: error?.signal === 'SIGKILL' }),
    )
  })

const rowOf = (line: string): { readonly event?: unknown; readonly done?: boolean } => JSON.parse(line)

const routingOf = (event: Event): Routing => {
  const read = routing.read(event)
  if (!read.ok) throw new Error(read.says)
  return read.value
}

describe.each([
  ['kept', 2],
  ['published', 2],
])('killed when an entry is %s, in %d lives', (where, lives) => {
  test('gives no number twice, no request two answers, and says the same bytes again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gridstr-router-kill-'))
    const path = join(folder, 'router.db')
    const world = await routerWorld()
    const asker = world.asker()
    const requests = Array.from({ length: 5 }, () => asker.request(world.keys.publicKey(new Uint8Array(32).fill(99))))
    const args = [path, JSON.stringify(requests), where]
    const published: Event[] = []
    const take = (lines: readonly string[]) => {
      for (const line of lines) {
        const event = parseEvent(JSON.stringify(rowOf(line).event ?? null))
        if (event) published.push(event)
      }
    }
    for (let life = 0; life < lives; life++) {
      const { lines, killed } = await live([...args, '2'])
      expect(killed).toBe(true)
      take(lines)
    }
    const { lines, killed } = await live([...args, '0'])
    expect(killed).toBe(false)
    expect(rowOf(lines.at(-1) ?? '{}').done).toBe(true)
    take(lines)

    const journal = openJournal(path)
    const kept = [...journal.shelf('router-log').entries()].map(([, text]) => parseEvent(String(text)))
    const entries = kept.flatMap(event => (event ? [event] : []))
    const values = entries.map(routingOf)
    expect(values.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4])
    expect(values.map(({ prev }) => prev)).toEqual(['', ...entries.slice(0, -1).map(({ id }) => id)])
    for (const [index, { seed }] of values.entries())
      if (index > 0) expect(sha256Hex(Buffer.from(seed, 'hex'))).toBe(values[index - 1]?.commit)
    expect(new Set(values.map(({ request }) => request))).toEqual(new Set(requests.map(({ id }) => id)))
    const bySeq = new Map(entries.map((event, seq) => [seq, event.id]))
    for (const event of published) expect(event.id).toBe(bySeq.get(routingOf(event).seq))
    expect(new Set(published.map(({ id }) => id)).size).toBe(5)
    for (const value of values) expect(world.agrees(value)).toBe(true)
    journal.close()
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })
})
