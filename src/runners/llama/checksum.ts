/**
 * Weights are known by their sha256: computed once, kept beside the file and compared on later starts, so that a
 * changed file is noticed before it answers under the old name.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { RunnerError } from '../runner.ts'

/** sha256 of a file's bytes, lower-case hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * The sha256 of a file, read again only when size or time of change differ from the note `<file>.sha256`. The note's
 * first line is what `sha256sum` prints, so a publisher's checksum file laid beside the weights is honoured. Throws
 * `RunnerError` when the bytes are not those of the note or not `expected`.
 */
export async function keptSha256(path: string, expected?: string): Promise<string> {
  const notePath = `${path}.sha256`
  const { size, mtimeMs } = await stat(path)
  const seen = `# bytes=${size} modified_ms=${Math.floor(mtimeMs)}`
  const [first = '', ...rest] = (await readNote(notePath)).split('\n')
  const noted = /^([0-9a-f]{64})(\s|$)/i.exec(first)?.[1]?.toLowerCase()
  const known = noted !== undefined && rest.includes(seen)
  const sha256 = known ? noted : await sha256File(path)

  if (noted !== undefined && noted !== sha256) {
    const says = `${path} has changed: sha256 ${sha256}, but ${notePath} says ${noted}`
    throw new RunnerError(`${says}. Restore the file, or delete ${notePath} to accept the new one`)
  }
  if (expected !== undefined && expected.toLowerCase() !== sha256) {
    const says = `${path} has the wrong checksum: sha256 ${sha256}, expected ${expected.toLowerCase()}`
    throw new RunnerError(`${says}. Delete the file to fetch it again, or correct the expected sha256`)
  }
  if (!known) await writeNote(notePath, `${sha256}  ${basename(path)}\n${seen}\n`)
  return sha256
}

async function readNote(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw new RunnerError(`cannot read ${path}: make it readable or delete it`, { cause: error })
  }
}

/** A folder that may not be written (a shared model folder) only costs the hashing at each start. */
async function writeNote(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error))) throw error
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
