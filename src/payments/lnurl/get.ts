/**
 * How an LNURL client asks: one GET of a public https address, without redirects, bounded in bytes and time. Runs in a
 * browser; `public-get.ts` is the way of Node, which also looks at the addresses behind a name.
 * @module
 */

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

export interface GetLimits {
  readonly maxBytes: number
  /** Lets a test reach its own machine. */
  readonly loopback: boolean
}

/** Rejects with `GetFault`, or with anything else for a host that cannot be reached. */
export type HttpGet = (url: URL, limits: GetLimits, signal: AbortSignal) => Promise<HttpAnswer>

/** Why an answer was not taken. */
export class GetFault extends Error {
  override readonly name = 'GetFault'
  readonly rule: 'redirect' | 'too-large' | 'private-address'
  constructor(rule: GetFault['rule'], says: string) {
    super(says)
    this.rule = rule
  }
}

export const redirected = () =>
  new GetFault('redirect', 'The payment service sends elsewhere, which is not followed: ask it for its true address.')
export const tooLarge = (maxBytes: number) =>
  new GetFault('too-large', `The payment service answers with more than ${maxBytes} bytes: choose another way to pay.`)
export const notPublic = (host: string) =>
  new GetFault('private-address', `The host ${host} is not on the public internet: ask for a public address.`)

const ownMachine = new Set(['127.0.0.1', 'localhost', '[::1]'])
const insideOnly = /(^|\.)(localhost|local|internal|intranet|lan|home|home\.arpa|corp|onion|test|invalid|example)$/

export const isLoopback = (url: URL): boolean => ownMachine.has(url.hostname)

/** A URL that may be asked, or the reason why not: https on its own port, a public name, nobody's password. */
export function publicUrl(text: string, loopback: boolean): URL | GetFault | undefined {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return undefined
  }
  if (text.length > 2_048 || url.username !== '' || url.password !== '') return undefined
  url.hash = ''
  if (loopback && isLoopback(url)) return /^https?:$/.test(url.protocol) ? url : undefined
  if (url.protocol !== 'https:' || url.port !== '') return undefined
  const host = url.hostname.replace(/\.$/, '')
  // The parser has already turned 0x7f.1, 2130706433 and their like into dotted digits.
  if (/^[0-9.]+$/.test(host) || host.startsWith('[') || !host.includes('.') || insideOnly.test(host))
    return notPublic(host)
  return url
}

/** By any `fetch`. In a browser the browser decides what a name leads to. */
export const fetchGet =
  (fetch: typeof globalThis.fetch): HttpGet =>
  async (url, { maxBytes }, signal) => {
    const answer = await fetch(url, {
      ...{ redirect: 'manual', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', signal },
      headers: { accept: 'application/json' },
    })
    if (answer.type === 'opaqueredirect' || (answer.status >= 300 && answer.status < 400)) {
      await answer.body?.cancel()
      throw redirected()
    }
    return { status: answer.status, text: await textOf(answer, maxBytes) }
  }

async function textOf(answer: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  const reader = answer.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    bytes += part.value.length
    if (bytes > maxBytes) {
      await reader?.cancel()
      throw tooLarge(maxBytes)
    }
    text += decoder.decode(part.value, { stream: true })
  }
  return text + decoder.decode()
}
