/**
 * What went wrong with a journal's file, said so that its owner knows what to do.
 * @module
 */
import { dirname } from 'node:path'
import { JournalError } from './journal.ts'

/** Primary result codes of SQLite. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26
/** The disk had no room for the shared index of the log. */
const IOERR_SHMSIZE = 4874

export const damaged = (path: string, what: string, cause?: unknown): JournalError =>
  new JournalError(
    'corrupt',
    `journal ${path} is damaged: ${what}. Nothing was changed. Stop, keep a copy of the file, and put back a copy from ` +
      `before; or name another file and compare with the wallet's own history, which still knows every payment.`,
    { cause },
  )

export const unusable = (path: string, what: string, cause?: unknown): JournalError =>
  new JournalError('unwritable', `journal ${path} cannot be used: ${what}`, { cause })

const full = (path: string, cause: unknown): JournalError =>
  new JournalError(
    'full',
    `journal ${path}: no room left. This one write did not happen; everything written before it is safe. ` +
      `Make room in ${dirname(path)} and go on.`,
    { cause },
  )

/** The error as its owner should read it; what is no trouble of the file comes back as it is. */
export function trouble(path: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, errcode } = error as Error & { code?: unknown; errcode?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(path, error)
  if (code === 'ERR_OUT_OF_RANGE') return damaged(path, 'a number in it is beyond all bounds', error)
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number')
    return typeof code === 'string' && /^E[A-Z]+$/.test(code)
      ? unusable(path, `${error.message}. Check the folder and its permissions, or name another path.`, error)
      : error
  switch (errcode & 0xff) {
    case FULL:
      return full(path, error)
    case CORRUPT:
    case NOTADB:
      return damaged(path, error.message, error)
    case BUSY:
    case LOCKED:
      return new JournalError('locked', `journal ${path} is held by another program: end that one, then try again.`, {
        cause: error,
      })
    case IOERR:
      if (errcode === IOERR_SHMSIZE) return full(path, error)
      return unusable(
        path,
        `the disk refuses (${error.message}). What was written before is kept. Check the disk.`,
        error,
      )
    case READONLY:
    case CANTOPEN:
      return unusable(
        path,
        `${error.message}. Check that the folder exists and may be written, or name another path.`,
        error,
      )
    default:
      // A damaged header can name a form of file that no SQLite knows: a plain error to SQLite.
      return /unsupported file format|malformed/.test(error.message) ? damaged(path, error.message, error) : error
  }
}
