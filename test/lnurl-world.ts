/**
 * A payment service on this machine, for as long as a test needs one: the product has none.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type InvoiceFields, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'

export const NOW = 1_800_000_000
export const PREIMAGE = sha256Hex('preimage')
export const HASH = sha256Hex(fromHex(PREIMAGE))
export const ZAPPER = sha256Hex('zapper')
export const metadata = JSON.stringify([
  ['text/plain', 'Pays for answers'],
  ['text/identifier', 'node@wallet.example.com'],
])

export const invoiceOf = (msats: bigint, fields: Partial<InvoiceFields> = {}): string =>
  writeInvoice(
    {
      ...{ network: 'regtest', msats, hash: HASH, secret: sha256Hex('secret'), timestamp: NOW, expirySeconds: 600 },
      ...(fields.description === undefined ? { descriptionHash: sha256Hex(metadata) } : {}),
      ...fields,
    },
    fromHex(sha256Hex('service')),
  )

export const payRequest = (callback: string, more: Record<string, unknown> = {}) => ({
  ...{ tag: 'payRequest', callback, minSendable: 1_000, maxSendable: 1_000_000, metadata },
  ...{ allowsNostr: true, nostrPubkey: ZAPPER, commentAllowed: 20, ...more },
})

export type Route = (url: URL, answer: ServerResponse, request: IncomingMessage) => void

export const json =
  (value: unknown, status = 200): Route =>
  (_url, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

export interface Service {
  readonly origin: string
  readonly address: string
  readonly asked: URL[]
  /** Resolves once the next question is there. */
  next(): Promise<void>
  close(): Promise<void>
}

/** `routes` are looked up by path; each gets the whole URL. */
export async function service(routes: (origin: string) => Record<string, Route>): Promise<Service> {
  const asked: URL[] = []
  let tell = () => {}
  let all: Record<string, Route> = {}
  const server = createServer((request, answer) => {
    const url = new URL(request.url ?? '/', origin)
    asked.push(url)
    const route = all[url.pathname] ?? json({ status: 'ERROR', reason: 'nobody here' }, 404)
    route(url, answer, request)
    tell()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  all = routes(origin)
  return {
    origin,
    address: `node@127.0.0.1:${port}`,
    asked,
    next: () =>
      new Promise(resolve => {
        tell = resolve
      }),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export const wellKnown = '/.well-known/lnurlp/node'
