/**
 * Connections between nodes of one process: bytes wait in queues and are delivered by `move`, never from inside a
 * callback, because LDK forbids calling a peer manager while it is writing.
 * @module
 */
import { done, type Ldk, type PeerManager, type SocketDescriptor, take } from './lib.ts'

/** One end of a connection. */
export interface End {
  readonly peers: PeerManager
  /** Node key. */
  readonly id: Uint8Array
}

export interface Link {
  /** False once either side has let go. */
  readonly open: boolean
  /** While true nothing moves and nothing is lost: a wire that has gone slow, not one that is cut. */
  stalled: boolean
  /** Delivers what waits. True when anything was delivered. */
  move(): boolean
  close(): void
}

interface Socket {
  readonly peers: PeerManager
  readonly descriptor: SocketDescriptor
  readonly inbox: Uint8Array[]
}

let sockets = 0n

/** Connects `dialer` to `listener`. The handshake runs with the following moves. */
export function connect(ldk: Ldk, dialer: End, listener: End): Link {
  let hungUp = false
  let open = true

  const socket = (end: End): Socket => {
    const number = ++sockets
    const inbox: Uint8Array[] = []
    const descriptor = ldk.SocketDescriptor.new_impl({
      send_data(data) {
        if (hungUp) return 0
        if (data.length > 0) other(number).inbox.push(Uint8Array.from(data))
        return data.length
      },
      disconnect_socket() {
        hungUp = true
      },
      eq: that => that.hash() === number,
      hash: () => number,
    })
    return { peers: end.peers, descriptor, inbox }
  }
  const near = socket(dialer)
  const far = socket(listener)
  const nearNumber = sockets - 1n
  const other = (number: bigint): Socket => (number === nearNumber ? far : near)

  const close = (): void => {
    if (!open) return
    open = false
    hungUp = true
    for (const { peers, descriptor, inbox } of [near, far]) {
      inbox.length = 0
      peers.socket_disconnected(descriptor)
    }
  }

  const read = ({ peers, descriptor, inbox }: Socket): boolean => {
    let moved = false
    for (let data = inbox.shift(); data && open; data = inbox.shift()) {
      moved = true
      if (!peers.read_event(descriptor, data).is_ok()) close()
    }
    return moved
  }

  const nowhere = ldk.Option_SocketAddressZ.constructor_none()
  done(far.peers.new_inbound_connection(far.descriptor, nowhere), 'a node does not accept the connection')
  const hello = take(
    near.peers.new_outbound_connection(listener.id, near.descriptor, nowhere),
    ldk.Result_CVec_u8ZPeerHandleErrorZ_OK,
    'a node does not dial',
  )
  far.inbox.push(hello)

  return {
    stalled: false,
    get open() {
      return open
    },
    move() {
      if (hungUp) close()
      if (!open || this.stalled) return false
      const nearMoved = read(near)
      return read(far) || nearMoved
    },
    close,
  }
}
