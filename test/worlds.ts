/**
 * The same story in every world: in memory, over real sockets to the embedded relay, and over strfry where its binary is.
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { type Event, kinds } from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { memoryHub } from '../relays/memory.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { type Clock, wallClock } from '../src/clock.ts'
import { openIntake } from '../src/intake.ts'
import { type Keys, openKeys } from '../src/keys.ts'

export interface World {
  readonly name: string
  readonly clock: Clock
  readonly keys: Keys
  /** One more participant. */
  connect(secret?: Uint8Array): Relays
  /** Everything that the relay was given or passed on so far, ephemeral events included. */
  readonly seen: Event[]
  /** The relay dies with every connection, and comes back where it was. */
  outage(): Promise<() => Promise<void>>
  close(): Promise<void>
}

const clock = wallClock()

/** A door for the relays of a test: every kind of ours that its author signed. */
export const doorOf = (keys: Keys, time: Clock = clock) =>
  openIntake({
    verify: keys.signed,
    clock: time,
    kinds: kinds.map(kind => kind.number),
    windowSeconds: { past: Number.POSITIVE_INFINITY, ahead: 900 },
    seenMax: 0,
  }).admit

/** Without sockets; with a clock in hand, time is the test's too. */
export async function memoryWorld(time: Clock = clock): Promise<World> {
  const keys = await openKeys()
  const hub = memoryHub({ clock: time, verify: event => keys.verify(event) })
  const seen: Event[] = []
  const stop = hub.watch(event => seen.push(event))
  const open: Relays[] = []
  return {
    name: 'memory',
    clock: time,
    keys,
    seen,
    connect() {
      const relays = hub.connect({ admit: doorOf(keys, time) })
      open.push(relays)
      return relays
    },
    async outage() {
      hub.down()
      return async () => hub.up()
    },
    async close() {
      stop()
      for (const relays of open) await relays.close()
    },
  }
}

/** Back-off of a few milliseconds, so that an outage costs a test no time. */
const quick = { backoffMs: [20, 100] } as const

function socketWorld(
  name: string,
  url: string,
  keys: Keys,
  relay: { down(): Promise<void>; up(): Promise<void> },
): World {
  const open: Relays[] = []
  const seen: Event[] = []
  const connect = (secret?: Uint8Array): Relays => {
    const sign = secret ? { sign: (template: Parameters<Keys['sign']>[0]) => keys.sign(template, secret) } : {}
    const relays = openPool({ urls: [url], clock, admit: doorOf(keys), limits: quick, ...sign })
    open.push(relays)
    return relays
  }
  const spy = connect().listen([{ kinds: kinds.map(kind => kind.number) }], { onEvent: event => seen.push(event) })
  return {
    name,
    clock,
    keys,
    seen,
    connect,
    async outage() {
      await relay.down()
      return () => relay.up()
    },
    async close() {
      spy.close()
      for (const relays of open) await relays.close()
      await relay.down()
    },
  }
}

async function embeddedWorld(): Promise<World> {
  const keys = await openKeys()
  const start = (port: number) => startRelay({ port, clock, verify: event => keys.verify(event) })
  let relay: EmbeddedRelay = await start(0)
  const { port, url } = relay
  return socketWorld('socket', url, keys, {
    down: () => relay.close(),
    async up() {
      relay = await start(port)
    },
  })
}

/** Path of a strfry binary: `STRFRY` or the one on the PATH. */
function strfryBinary(): string | undefined {
  const named = process.env['STRFRY']
  if (named) return named
  try {
    return execFileSync('which', ['strfry'], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

async function strfryWorld(binary: string): Promise<World> {
  const keys = await openKeys()
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-strfry-'))
  const port = await freePort()
  const conf = join(folder, 'strfry.conf')
  writeFileSync(conf, `db = "${folder}/db/"\nrelay { bind = "127.0.0.1"\n port = ${port}\n nofiles = 0 }\n`)
  execFileSync('mkdir', ['-p', join(folder, 'db')])
  let child: ChildProcess | undefined
  const up = async () => {
    child = spawn(binary, ['--config', conf, 'relay'], { stdio: 'ignore' })
  }
  const down = () =>
    new Promise<void>(resolve => {
      if (!child || child.exitCode !== null) return resolve()
      child.once('exit', () => resolve())
      child.kill('SIGKILL')
      return undefined
    })
  await up()
  const world = socketWorld('strfry', `ws://127.0.0.1:${port}`, keys, { down, up })
  return {
    ...world,
    async close() {
      await world.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const freePort = () =>
  new Promise<number>(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Runs the same tests in every world. `open` inside a test gives a fresh one. */
export function inEveryWorld(name: string, tests: (open: () => Promise<World>) => void): void {
  describe(`${name} · memory`, () => tests(() => memoryWorld()))
  describe(`${name} · socket`, () => tests(embeddedWorld))
  const binary = strfryBinary()
  if (binary) describe(`${name} · strfry`, () => tests(() => strfryWorld(binary)))
  else test.skip(`${name} · strfry (no strfry binary here: put one on the PATH or name it in STRFRY)`, () => {})
}
