/**
 * What a batch asks: OpenAI's JSON lines, all of them read before anything is asked.
 * @module
 */
import { readFileSync } from 'node:fs'
import { isRecord } from '../../../kinds/json.ts'
import { sha256Hex } from '../../hash.ts'
import { quoted, UsageError } from '../command.ts'

/** One request. `key` names it in every run over the same file. */
export interface BatchLine {
  readonly line: number
  readonly id: string
  readonly url: string
  readonly body: Readonly<Record<string, unknown>>
  readonly key: string
}

export interface BatchFile {
  readonly lines: readonly BatchLine[]
  /** What is wrong, with line numbers, in order. */
  readonly wrong: readonly { readonly line: number; readonly says: string }[]
}

const urls = /^\/v1\/(chat\/completions|completions|embeddings|responses|rerank|classify)$/

/** Reads a file. Throws `UsageError` for one that cannot be read. */
export function readBatch(path: string): BatchFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return parseBatch(text)
}

/** Reads the text of a file. Empty lines are passed over; of two with one name the second is wrong. */
export function parseBatch(text: string): BatchFile {
  const digest = sha256Hex(text)
  const lines: BatchLine[] = []
  const wrong: { line: number; says: string }[] = []
  const first = new Map<string, number>()
  for (const [at, said] of text.split('\n').entries()) {
    const line = at + 1
    if (said.trim() === '') continue
    const read = readLine(said)
    if (typeof read === 'string') {
      wrong.push({ line, says: read })
      continue
    }
    const before = first.get(read.id)
    if (before === undefined) {
      first.set(read.id, line)
      lines.push({ line, ...read, key: sha256Hex(`${digest} ${read.id}`) })
    } else wrong.push({ line, says: `custom_id ${quoted(read.id)} is that of line ${before} already` })
  }
  return { lines, wrong }
}

function readLine(said: string): Pick<BatchLine, 'id' | 'url' | 'body'> | string {
  let value: unknown
  try {
    value = JSON.parse(said)
  } catch {
    return 'this is no JSON'
  }
  if (!isRecord(value)) return 'this is no JSON object'
  const { custom_id: id, method, url, body } = value
  if (typeof id !== 'string' || id === '' || id.length > 512) return 'custom_id: a text of 1 to 512 characters'
  if (method !== 'POST') return 'method: POST'
  if (typeof url !== 'string' || !urls.test(url)) return 'url: /v1/chat/completions or another that a batch may ask'
  if (!isRecord(body)) return 'body: a JSON object'
  if (body['stream'] === true) return 'body.stream: a batch has nobody who reads along'
  return { id, url, body }
}
