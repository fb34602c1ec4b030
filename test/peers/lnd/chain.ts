/**
 * The chain of the test: btcd's own JSON-RPC over TLS, which is all that mining takes.
 * @module
 */
import { request } from 'node:https'

/** Where btcd answers. Plain data, so that it can be handed to another process. */
export interface ChainPlace {
  readonly port: number
  readonly password: string
  /** btcd's own certificate, PEM. */
  readonly certificate: string
}

export interface Chain {
  ask(method: string, params?: readonly unknown[]): Promise<unknown>
  height(): Promise<number>
  /** Mines so many blocks. */
  mine(blocks: number): Promise<void>
}

const PATIENCE_MS = 60_000

/** Speaks with btcd; keeps no connection. Rejects with what btcd said. */
export function openChain({ port, password, certificate }: ChainPlace): Chain {
  const ask = (method: string, params: readonly unknown[] = []): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ jsonrpc: '1.0', id: 1, method, params })
      const where = {
        host: '127.0.0.1',
        port,
        method: 'POST',
        ca: certificate,
        auth: `gridstr:${password}`,
        agent: false,
      }
      const asking = request({ ...where, signal: AbortSignal.timeout(PATIENCE_MS) }, answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => {
          text += part
        })
        answer.once('error', reject)
        answer.once('end', () => {
          try {
            const said = JSON.parse(text) as { result?: unknown; error?: { message?: string } | null }
            if (said.error) reject(new Error(`btcd refused ${method}: ${said.error.message}`))
            else resolve(said.result)
          } catch {
            reject(new Error(`btcd answered ${answer.statusCode} to ${method}`))
          }
        })
      })
      asking.once('error', reject)
      asking.end(body)
    })
  return {
    ask,
    height: async () => Number(await ask('getblockcount')),
    mine: async blocks => void (await ask('generate', [blocks])),
  }
}
