/** Bytes of a file are changed at random: a journal either says what was written, or says that it is damaged. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { JournalError, openJournal } from '../src/journal/index.ts'
import { fill, names } from './journal-fixture.ts'
import { everything, hex, order } from './journal-rows.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gridstr-journal-damage-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Said = ReturnType<typeof everything>

/** What a journal says, or `undefined` when it says that it is damaged. Anything else is thrown. */
function read(path: string): Said | undefined {
  let journal: ReturnType<typeof openJournal> | undefined
  try {
    journal = openJournal(path)
    return everything(journal, names)
  } catch (error) {
    if (error instanceof JournalError && ['corrupt', 'newer', 'unwritable'].includes(error.code)) return undefined
    throw error
  } finally {
    journal?.close()
  }
}

const change = fc.oneof(
  // The places that say most are few: the header, and the first bytes of each page.
  fc.record({ page: fc.nat(), at: fc.nat({ max: 200 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }) }),
  fc.record({ page: fc.nat(), at: fc.nat({ max: 4095 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }) }),
)

test('damage of a journal never becomes other money', () => {
  const source = join(folder, 'source')
  const journal = openJournal(source)
  fill(journal)
  const expected = everything(journal, names)
  journal.close()
  const whole = readFileSync(source)
  const path = join(folder, 'damaged')
  let refused = 0
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
      const bytes = Buffer.from(whole)
      for (const { page, at, bytes: other } of changes)
        bytes.set(other.subarray(0, 4096 - at), ((page * 4096) % bytes.length) + at)
      writeFileSync(path, bytes)
      for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
      const said = read(path)
      if (said) expect(said).toEqual(expected)
      else refused++
    }),
    { numRuns: 1000 },
  )
  expect(refused).toBeGreaterThan(100)
}, 60_000)

test('a header that names a form of file that nobody knows is damage', () => {
  const path = join(folder, 'form')
  openJournal(path).close()
  const bytes = readFileSync(path)
  // Bytes 44 to 47: the schema format number.
  bytes.writeUInt32BE(99, 44)
  writeFileSync(path, bytes)
  expect(read(path)).toBeUndefined()
})

test('a file that was cut off is refused, or is whole', () => {
  const source = join(folder, 'whole')
  const journal = openJournal(source)
  fill(journal)
  const expected = everything(journal, names)
  journal.close()
  const whole = readFileSync(source)
  const path = join(folder, 'cut')
  const lengths = Array.from({ length: whole.length / 512 - 1 }, (_, n) => (n + 1) * 512 - (n % 5 === 0 ? 1 : 0))
  for (const length of [1, 99, 100, ...lengths]) {
    writeFileSync(path, whole.subarray(0, length))
    const said = read(path)
    if (said) expect(said).toEqual(expected)
  }
})

test('damage of the log of a killed journal gives an earlier moment as it was, never a mixture', () => {
  const source = join(folder, 'log')
  const journal = openJournal(source)
  const moments = [journal.orders.list({ limit: 100 })]
  for (let n = 0; n < 8; n++) {
    journal.atomically(() => {
      journal.orders.plan(order(n))
      if (n > 0) journal.orders.end(hex(n - 1), { state: 'paid', preimage: hex(n), at: n })
    })
    moments.push(journal.orders.list({ limit: 100 }))
  }
  const [main, log] = [readFileSync(source), readFileSync(`${source}-wal`)]
  journal.close()
  const path = join(folder, 'log-damaged')
  fc.assert(
    fc.property(fc.nat({ max: log.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bytes = Buffer.from(log)
      bytes[at] = (bytes[at] ?? 0) ^ flip
      writeFileSync(path, main)
      writeFileSync(`${path}-wal`, bytes)
      rmSync(`${path}-shm`, { force: true })
      const broken = openJournal(path)
      expect(moments).toContainEqual(broken.orders.list({ limit: 100 }))
      broken.close()
    }),
    { numRuns: 300 },
  )
})

test('a copy that is taken while nobody writes is a journal', () => {
  const source = join(folder, 'copied')
  const journal = openJournal(source)
  fill(journal)
  const expected = everything(journal, names)
  for (const end of ['', '-wal']) copyFileSync(source + end, join(folder, `copy${end}`))
  journal.close()
  expect(read(join(folder, 'copy'))).toEqual(expected)
})
