/**
 * A journal in an SQLite file that only its owner may read: one writer, any number of readers.
 * @module
 */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Journal, JournalError } from './journal.ts'
import { lockFor } from './lock.ts'
import { openPages } from './pages.ts'
import { createPrivately } from './private-file.ts'
import { checkOutcome } from './rules.ts'
import { jobsOf } from './sqlite-jobs.ts'
import { billsOf, ordersOf } from './sqlite-money.ts'
import { shelvesOf } from './sqlite-shelf.ts'
import { trouble, unusable } from './trouble.ts'

export interface JournalOptions {
  /** Opens beside the process that writes, to look only. Writing throws. */
  readonly readOnly?: boolean
  /** Most bytes that the file may take; beyond, writing throws `JournalError` `full`. Default: the disk. */
  readonly maxBytes?: number
}

/**
 * Opens the journal at `path`, makes it (mode 0600) where nothing is, and brings an old one up to date. Throws
 * `JournalError` that says the way out: `locked` with the process that has it, `corrupt`, `newer`, `full`, `unwritable`.
 */
export function openJournal(path: string, options: JournalOptions = {}): Journal {
  const readOnly = options.readOnly ?? false
  const file = place(path, readOnly)
  const unlock = readOnly ? () => {} : lockFor(file)
  try {
    if (!readOnly) createPrivately(file)
    const { maxBytes } = options
    const pages = openPages(file, { readOnly, ...(maxBytes === undefined ? {} : { maxBytes }) })
    const shelf = shelvesOf(pages)
    const { jobs, outbox, prune } = jobsOf(pages)
    return {
      path: file,
      jobs,
      outbox,
      orders: ordersOf(pages),
      bills: billsOf(pages),
      shelf,
      atomically: (write, weight = 'money') => pages.together(weight, () => checkOutcome(write())),
      prune,
      close() {
        try {
          pages.close()
        } finally {
          unlock()
        }
      },
    }
  } catch (error) {
    unlock()
    throw error instanceof JournalError ? error : trouble(file, error)
  }
}

/** The one true path, so that a link does not open a journal twice. */
function place(path: string, readOnly: boolean): string {
  const wanted = resolve(path)
  const folder = dirname(wanted)
  if (!existsSync(folder))
    throw unusable(wanted, `its folder is missing: make it (mkdir -p ${folder}), or name another path.`)
  if (!existsSync(wanted)) {
    if (readOnly) throw unusable(wanted, 'there is none yet: its node or wallet makes it when it starts.')
    return join(realpathSync(folder), basename(wanted))
  }
  if (!statSync(wanted).isFile()) throw unusable(wanted, 'it is no file: name a file inside it.')
  return realpathSync(wanted)
}
