/**
 * Files that only their owner may read.
 * @module
 */
import { chmodSync, closeSync, openSync, statSync } from 'node:fs'

const OWNER_ONLY = 0o600

/**
 * Makes an empty file with mode 0600, or takes others' rights from one that is there. An existing file is never opened:
 * closing it would drop the locks that SQLite holds on it in this process.
 */
export function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', OWNER_ONLY))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    const { mode } = statSync(path)
    if ((mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY)
  }
}
