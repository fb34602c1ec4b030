/**
 * A relay that is far away: a proxy that holds every frame back for a while, in both directions and in order.
 * @module
 */
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

export interface Far {
  readonly url: string
  close(): Promise<void>
}

/** Stands before a relay; each frame takes `ms` longer. */
export async function farAway(relay: string, ms: number): Promise<Far> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  server.on('connection', near => {
    const upstream = new WebSocket(relay, { perMessageDeflate: false })
    const opened = once(upstream, 'open')
    near.on('message', data => {
      const text = String(data)
      setTimeout(() => void opened.then(() => upstream.send(text)), ms)
    })
    upstream.on('message', data => {
      const text = String(data)
      setTimeout(() => near.readyState === WebSocket.OPEN && near.send(text), ms)
    })
    for (const [one, other] of [
      [near, upstream],
      [upstream, near],
    ] as const)
      one.on('close', () => other.close()).on('error', () => other.terminate())
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `ws://127.0.0.1:${port}`,
    async close() {
      for (const client of server.clients) client.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
