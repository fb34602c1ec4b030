/**
 * The one door to the WebSocket package: the server for the relay that we start, the client for the pool.
 * @module
 */
import { WebSocket, WebSocketServer } from 'ws'

export type { RawData, WebSocket as ServerSocket } from 'ws'
export { WebSocketServer }

/**
 * Bytes of one incoming message that a client accepts; a longer one ends the connection (close code 1009). Far above what
 * the pool reads: what lies between is dropped unread, so that one long event on a relay cannot deafen a subscription.
 */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024

/**
 * Client WebSocket that cannot end the process: it always has an `error` listener, also after the owner detached its
 * own handlers (closing while connecting emits `error` on the next tick). Never compresses, bounds a message.
 */
export class Socket extends WebSocket {
  constructor(address: string | URL, protocols?: string | string[]) {
    super(address, protocols ?? [], { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES })
    this.on('error', () => {})
  }
}
