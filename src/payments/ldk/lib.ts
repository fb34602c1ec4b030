/**
 * The door to `lightningdevkit` (LDK 0.1 compiled to wasm, 23 MB): loaded on first use, once per process, and the few
 * narrow readers that its generated types need.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ChannelMonitor } from 'lightningdevkit'
import { PaymentError } from '../payment.ts'

export type {
  BroadcasterInterface,
  ChannelManager,
  ChannelMonitor,
  ChannelMonitorUpdate,
  Confirm,
  Event,
  FeeEstimator,
  KeysManager,
  Logger,
  OutPoint,
  PeerManager,
  SocketDescriptor,
} from 'lightningdevkit'

/** The whole wasm interface, as a value that is handed on: nothing else imports the package. */
export type Ldk = typeof import('lightningdevkit')

let loading: Promise<Ldk> | undefined
let free = (_monitor: ChannelMonitor): void => {}
let pointerOf = (_value: object): unknown => undefined

/** Loads and starts LDK once per process. Rejects with `PaymentError` and may then be called again. */
export function loadLdk(): Promise<Ldk> {
  loading ??= load().catch(cause => {
    loading = undefined
    throw new PaymentError('INTERNAL', `lightningdevkit cannot be loaded (npm install lightningdevkit): ${cause}`, {
      cause,
    })
  })
  return loading
}

async function load(): Promise<Ldk> {
  const entry = createRequire(import.meta.url).resolve('lightningdevkit')
  const [ldk, wasm] = await Promise.all([
    import('lightningdevkit'),
    readFile(join(dirname(entry), 'liblightningjs.wasm')),
  ])
  await withoutBanner(() => ldk.initializeWasmFromBinary(wasm))
  await openDoors()
  return ldk
}

/**
 * Gives back the copy of a channel's state that LDK lends to a persist callback; it must not be used afterwards. Without
 * this it waits for the garbage collector, which sees a few bytes where LDK holds tens of kilobytes per payment.
 */
export const giveBack = (monitor: ChannelMonitor): void => free(monitor)

/** True for a value that stands for none: LDK hands it over as an object around a null pointer. */
export const isNothing = (value: object): boolean => pointerOf(value) === 0n

async function openDoors(): Promise<void> {
  const { CommonBase } = await import('lightningdevkit/structs/CommonBase.mjs')
  const release: unknown = Reflect.get(await import('lightningdevkit/bindings.mjs'), 'ChannelMonitor_free')
  class Door extends CommonBase {
    static pointer(value: object): unknown {
      return value instanceof CommonBase ? CommonBase.get_ptr_of(value) : undefined
    }
    static end(monitor: ChannelMonitor): void {
      const pointer = CommonBase.get_ptr_of(monitor)
      CommonBase.set_null_skip_free(monitor)
      if (typeof release === 'function') Reflect.apply(release, undefined, [pointer])
    }
  }
  pointerOf = value => Door.pointer(value)
  if (typeof release === 'function') free = monitor => Door.end(monitor)
}

/** The package greets on stdout while it starts, where a command of ours may be writing data. */
async function withoutBanner(run: () => Promise<void>): Promise<void> {
  const log = console.log
  const filtered = (...words: unknown[]): void => {
    if (!String(words[0]).startsWith('Loaded LDK-Java Bindings')) log(...words)
  }
  console.log = filtered
  try {
    await run()
  } finally {
    if (console.log === filtered) console.log = log
  }
}

/** Instance test for generated classes: their constructors are protected, so TypeScript only sees their prototypes. */
export const isA = <T extends object>(value: object, type: { readonly prototype: T }): value is T =>
  Object.prototype.isPrototypeOf.call(type.prototype, value)

/** The value of an `…_OK` result. Throws `PaymentError` with LDK's own reason otherwise. */
export function take<O extends { res: unknown }>(
  result: object,
  ok: { readonly prototype: O },
  says: string,
): O['res'] {
  if (isA(result, ok)) return result.res
  throw new PaymentError('OTHER', `${says}: ${reason(result)}`)
}

/** The value of a `…_Some` option. */
export const some = <O extends { some: unknown }>(
  option: object,
  type: { readonly prototype: O },
): O['some'] | undefined => (isA(option, type) ? option.some : undefined)

/** Passes when a result without value went well. Throws `PaymentError` with LDK's own reason otherwise. */
export function done(result: { is_ok(): boolean }, says: string): void {
  if (!result.is_ok()) throw new PaymentError('OTHER', `${says}: ${reason(result)}`)
}

/** What an `…_Err` result has to say, as far as its generated class shows it. */
export function reason(result: object): string {
  const err = 'err' in result ? result.err : undefined
  if (err === null || err === undefined) return 'refused without a reason'
  if (typeof err !== 'object') return String(err)
  if ('err' in err && typeof err.err === 'string') return err.err
  if ('to_str' in err && typeof err.to_str === 'function') return String(err.to_str())
  return err.constructor.name
}

/** True for a trap (a panic) inside the wasm, by name: `WebAssembly` is not among the types of Node. */
export const isTrap = (error: unknown): boolean => error instanceof Error && error.name === 'RuntimeError'
