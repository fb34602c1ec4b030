/**
 * What came of a batch, line by line as it comes: on the disk before it is counted, so that a killed run goes on.
 * @module
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { isRecord } from '../../../kinds/json.ts'
import { UsageError } from '../command.ts'

/** One line in OpenAI's form, and beside it what it cost. */
export interface ResultLine {
  readonly id: string
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly request_id: string; readonly body: unknown } | null
  readonly error: { readonly code: string; readonly message: string } | null
  readonly gridstr?: { readonly msats: number; readonly node?: string }
}

export interface Results {
  /** Requests that need not be asked again. */
  readonly done: ReadonlySet<string>
  /** What all lines cost that are there. */
  readonly msats: bigint
  /** Writes a line; it is on the disk when this returns. */
  add(line: ResultLine): void
  close(): void
}

/** Answers, and refusals that would be the same again. */
const final: ReadonlySet<number> = new Set([200, 400, 404, 405, 413, 422])

/**
 * Opens the file for writing behind what is there. Lines that may come out better are taken out first, and so is a torn
 * last one. Throws `UsageError` for a file that holds something else or cannot be written.
 */
export function openResults(path: string): Results {
  const done = new Set<string>()
  const kept: string[] = []
  let msats = 0n
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const said = before.split('\n')
  for (const [at, text] of said.entries()) {
    if (text === '') continue
    const line = readResult(text)
    if (!line) {
      if (at === said.length - 1) continue
      throw new UsageError(`${path}: line ${at + 1} is no result of a batch: name another file with --out.`)
    }
    msats += BigInt(line.msats)
    if (final.has(line.status)) {
      done.add(line.id)
      kept.push(text)
    } else if (line.msats > 0) kept.push(text)
  }
  try {
    const whole = kept.map(text => `${text}\n`).join('')
    if (whole !== before) {
      const part = `${path}.part`
      const file = openSync(part, 'w')
      writeSync(file, whole)
      fsyncSync(file)
      closeSync(file)
      renameSync(part, path)
    }
    const file = openSync(path, 'a')
    return {
      done,
      get msats() {
        return msats
      },
      add(line) {
        msats += BigInt(line.gridstr?.msats ?? 0)
        writeSync(file, `${JSON.stringify(line)}\n`)
        fsyncSync(file)
      },
      close: () => closeSync(file),
    }
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readResult(
  text: string,
): { readonly id: string; readonly status: number; readonly msats: number } | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(value) || typeof value['custom_id'] !== 'string') return undefined
  const { response, gridstr } = value
  const status = isRecord(response) && typeof response['status_code'] === 'number' ? response['status_code'] : 0
  const cost = isRecord(gridstr) ? gridstr['msats'] : 0
  const msats = typeof cost === 'number' && Number.isSafeInteger(cost) && cost > 0 ? cost : 0
  return { id: value['custom_id'], status, msats }
}
