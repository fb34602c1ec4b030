/** A WebSocket proxy that writes down every frame of both directions and changes none. */
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

export interface Recorder {
  readonly url: string
  /** Every text frame, in the order in which it passed. */
  readonly frames: { readonly party: string; readonly way: 'up' | 'down'; readonly text: string }[]
  close(): Promise<void>
}

/** Stands between one party and one relay. */
export async function record(party: string, relay: string, frames: Recorder['frames']): Promise<Recorder> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  await once(server, 'listening')
  const sockets = new Set<WebSocket>()
  server.on('connection', socket => {
    const upstream = new WebSocket(relay, { perMessageDeflate: false })
    sockets.add(socket).add(upstream)
    const early: string[] = []
    socket.on('message', data => {
      const text = String(data)
      frames.push({ party, way: 'up', text })
      if (upstream.readyState === WebSocket.OPEN) upstream.send(text)
      else early.push(text)
    })
    upstream.on('open', () => {
      for (const text of early.splice(0)) upstream.send(text)
    })
    upstream.on('message', data => {
      const text = String(data)
      frames.push({ party, way: 'down', text })
      socket.send(text)
    })
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('close', () => other.close())
      one.on('error', () => other.terminate())
    }
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `ws://127.0.0.1:${port}`,
    frames,
    async close() {
      for (const socket of sockets) socket.terminate()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
