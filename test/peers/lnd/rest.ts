/**
 * lnd's REST door with Node's fetch: one answer, or a stream of JSON lines.
 * @module
 */

export type Fields = Readonly<Record<string, unknown>>

/** lnd was reached and said no. `code` is gRPC's: 5 not found, 6 exists already. */
export class LndRefusal extends Error {
  override readonly name = 'LndRefusal'
  readonly code: number
  constructor(code: number, says: string) {
    super(says)
    this.code = code
  }
}

export interface Rest {
  /** One answer within 20 seconds. Rejects with `LndRefusal`, or with what the connection died of. */
  ask(method: 'GET' | 'POST', path: string, body?: Fields, signal?: AbortSignal): Promise<Fields>
  /**
   * What a stream tells until lnd ends it; leaving the loop ends it too. lnd sends no header before its first word, and
   * fetch gives up after five minutes of silence: a stream that broke says nothing about what it told of.
   */
  stream(method: 'GET' | 'POST', path: string, body?: Fields, signal?: AbortSignal): AsyncGenerator<Fields, void>
}

const PATIENCE_MS = 20_000
/** Longest line that is read: an invoice of 480 parts stays far below. */
const MAX_LINE = 4_000_000

/** `url` is `http://127.0.0.1:<port>`: without macaroons, so only for a node that listens on loopback. */
export function openRest(url: string): Rest {
  const send = (method: string, path: string, body: Fields | undefined, signal: AbortSignal) =>
    fetch(url + path, { method, signal, ...(body && { body: JSON.stringify(body) }) })

  return {
    async ask(method, path, body, signal) {
      const patience = AbortSignal.timeout(PATIENCE_MS)
      const answer = await send(method, path, body, signal ? AbortSignal.any([signal, patience]) : patience)
      const said = fieldsOf(await answer.text())
      if (answer.ok) return said
      throw refusal(said)
    },
    async *stream(method, path, body, signal) {
      const over = new AbortController()
      const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal
      try {
        const answer = await send(method, path, body, ends)
        if (!answer.body) return
        const text = new TextDecoder()
        let rest = ''
        for await (const part of answer.body) {
          rest += text.decode(part, { stream: true })
          const lines = rest.split('\n')
          rest = lines.pop() ?? ''
          if (rest.length > MAX_LINE) throw new Error('lnd told more in one line than is read.')
          for (const line of lines) if (line.trim() !== '') yield resultOf(fieldsOf(line))
        }
        if (rest.trim() !== '') yield resultOf(fieldsOf(rest))
      } finally {
        over.abort()
      }
    },
  }
}

function resultOf(said: Fields): Fields {
  const { result } = said
  if (isFields(result)) return result
  throw refusal(isFields(said['error']) ? said['error'] : said)
}

const refusal = (said: Fields): LndRefusal =>
  new LndRefusal(Number(said['code'] ?? 2), typeof said['message'] === 'string' ? said['message'] : 'lnd said no.')

function fieldsOf(text: string): Fields {
  const value: unknown = JSON.parse(text)
  if (isFields(value)) return value
  throw new Error('lnd answered something else than an object.')
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Objects of a list field. */
export const listOf = (fields: Fields, name: string): readonly Fields[] => {
  const value = fields[name]
  return Array.isArray(value) ? value.filter(isFields) : []
}

export const textOf = (fields: Fields, name: string): string => {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}

/** 64-bit numbers come as text, so that no money passes through a float. Absent is 0. */
export const wholeOf = (fields: Fields, name: string): bigint => {
  const value = fields[name]
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : 0n
}

/** Bytes are base64 in bodies, url-safe in addresses, hex with us. */
export const toBase64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
export const toUrl64 = (hex: string): string => toBase64(hex).replaceAll('+', '-').replaceAll('/', '_')
export const toHex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex')
