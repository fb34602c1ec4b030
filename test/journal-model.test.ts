/** Random moves on both journals against lists that are searched from end to end; the file is closed or killed between. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { memoryJournal, openJournal } from '../src/journal/index.ts'
import { jobNames, moves, type Real } from './journal-moves.ts'
import { emptyOracle, everythingOf } from './journal-oracle.ts'
import { everything } from './journal-rows.ts'

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gridstr-journal-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

/**
 * A journal in a file. A kill is played by taking the file and its log as they lie on the disk while it is open: what a
 * process that dies leaves behind.
 */
function inFile(): Real & { end(): void } {
  const place = () => join(folder, `${files++}`)
  const real = {
    journal: openJournal(place()),
    reopen(kill: boolean) {
      const { path } = real.journal
      if (!kill) {
        real.journal.close()
        real.journal = openJournal(path)
        return
      }
      const left = place()
      for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, left + end)
      real.end()
      real.journal = openJournal(left)
    },
    end() {
      const { path } = real.journal
      real.journal.close()
      for (const end of ['', '-wal', '-shm', '.lock']) rmSync(path + end, { force: true })
    },
  }
  return real
}

const members: Record<string, () => Real & { end(): void }> = {
  sqlite: inFile,
  memory: () => {
    const journal = memoryJournal()
    return { journal, reopen: () => {}, end: () => journal.close() }
  },
}

for (const [name, open] of Object.entries(members))
  test(`${name} says what the oracle says, whatever happens`, () => {
    fc.assert(
      fc.property(moves, all => {
        const oracle = emptyOracle()
        const real = open()
        try {
          for (const one of all) one.run(oracle, real)
          const names = { jobs: jobNames, shelves: ['s'] }
          expect(everything(real.journal, names)).toEqual(everythingOf(oracle, names))
        } catch (error) {
          throw new Error(all.map(one => one.says).join('\n'), { cause: error })
        } finally {
          real.end()
        }
      }),
      { numRuns: 1000 },
    )
  }, 60_000)
