/**
 * A trap: from `trap()` on, whatever begins to listen on a socket is written down. Every server of Node, for HTTP too, is a
 * `net.Server`. As a program's `--import` with `GRIDSTR_TRAP=throw` it does not let anybody listen at all.
 * @module
 */
import net from 'node:net'

/** Who began to listen: the first lines of the stack. */
export interface Trapped {
  readonly listened: readonly string[]
  release(): void
}

export function trap(forbids = false): Trapped {
  const listened: string[] = []
  const { listen } = net.Server.prototype
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    listened.push(new Error('listens').stack?.split('\n').slice(1, 4).join(' | ') ?? '')
    if (forbids) throw new Error('the trap lets nobody listen here')
    return Reflect.apply(listen, this, args)
  } as typeof listen
  return {
    listened,
    release() {
      net.Server.prototype.listen = listen
    },
  }
}

/** True where the trap sees a server that begins to listen: a trap that cannot spring proves nothing. */
export async function springs(trapped: Trapped): Promise<boolean> {
  const before = trapped.listened.length
  const server = net.createServer()
  try {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  } catch {
    return trapped.listened.length === before + 1
  }
  await new Promise(resolve => server.close(resolve))
  return trapped.listened.length === before + 1
}

if (process.env['GRIDSTR_TRAP'] === 'throw' && !(await springs(trap(true)))) process.exit(99)
