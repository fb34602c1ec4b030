/**
 * What every event costs: the engines that sign and verify, and the two ciphers behind NIP-44, against plain JavaScript.
 * One thread, nothing else in the process.
 * @module
 */
import type { Event } from '../kinds/index.ts'
import { type Engine, openKeys } from '../src/keys.ts'
import { type Codec, conversationKey, nodeCodec, plainCodec } from '../src/seal/nip44.ts'
import { type Bench, type Figures, numberOf } from './bench.ts'
import { quantile, rounded, shuffled } from './statistics.ts'

/** The slow one first: all others are compared to it. */
const engines: readonly Engine[] = ['plain', 'nostr-wasm', 'libsecp256k1']
const sizes = { '32 B': 32, '1 KB': 1_024, '8 KB': 8_192, '64 KB': 65_408 }

interface Task {
  readonly name: string
  readonly perRound: number
  run(): void
}

export const crypto: Bench = {
  name: 'crypto',
  says: 'Signing and verifying a whole event by each engine, and sealing and opening texts (NIP-44), in µs.',
  async run({ quick, progress }) {
    const tasks: Task[] = []
    const figures: Record<string, number | string> = {}
    for (const engine of engines) {
      try {
        tasks.push(...(await eventTasks(engine)))
      } catch (error) {
        progress(
          `crypto: ${engine} is not here and left out: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
    }
    for (const [size, bytes] of Object.entries(sizes))
      for (const [name, codec] of Object.entries({ plain: plainCodec, node: nodeCodec }))
        if (codec) tasks.push(...textTasks(`${name} ${size}`, codec, bytes))
    const micros = measure(tasks, quick ? 2 : 30, quick ? 0.1 : 1)
    for (const [name, us] of micros) figures[`${name} us`] = rounded(us)
    for (const [name, us] of micros) {
      const plain = micros.get(name.replace(/nostr-wasm|libsecp256k1|\bnode\b/, 'plain'))
      if (plain !== undefined && !name.includes('plain')) figures[`${name} times faster`] = rounded(plain / us)
    }
    return figures
  },
  rows: figures => [
    ...engines.slice(1).flatMap(engine => rowsOf(figures, `verify ${engine}`, `Verify an event, ${engine}`)),
    ...engines.slice(1).flatMap(engine => rowsOf(figures, `sign ${engine}`, `Sign an event, ${engine}`)),
    // Below these sizes plain JS is the faster one, and the one that is used.
    ...['8 KB', '64 KB'].flatMap(size => rowsOf(figures, `open node ${size}`, `Open ${size} of NIP-44, node:crypto`)),
  ],
}

function rowsOf(figures: Figures, key: string, what: string) {
  if (figures[`${key} us`] === undefined) return []
  const get = (name: string) => numberOf(figures, name)
  return [{ what, figure: `${get(`${key} us`)} µs`, against: `${get(`${key} times faster`)} × faster than plain JS` }]
}

async function eventTasks(engine: Engine): Promise<Task[]> {
  const keys = await openKeys(engine)
  const secret = keys.newSecret()
  let serial = 0
  const write = (): Event =>
    keys.sign(
      { kind: 5050, created_at: 1_700_000_000 + serial++, tags: [['i', 'Why is the sky blue?', 'text']], content: '' },
      secret,
    )
  const events = Array.from({ length: 64 }, write)
  const verify = () => {
    const event = events[serial++ % events.length]
    if (!event || !keys.verify(event)) throw new Error(`${engine} does not verify what it signed`)
  }
  const perRound = engine === 'plain' ? 10 : 100
  return [
    { name: `sign ${engine}`, perRound, run: write },
    { name: `verify ${engine}`, perRound, run: verify },
  ]
}

function textTasks(name: string, codec: Codec, bytes: number): Task[] {
  const key = conversationKey(new Uint8Array(32).fill(7))
  const nonce = new Uint8Array(32).fill(9)
  const text = 'a'.repeat(bytes)
  const sealed = codec.seal(key, text, nonce)
  const open = () => {
    if (codec.open(key, sealed).length !== bytes) throw new Error(`${name} opens another text`)
  }
  const perRound = Math.max(10, Math.min(100, Math.round(400_000 / bytes)))
  return [
    { name: `seal ${name}`, perRound, run: () => void codec.seal(key, text, nonce) },
    { name: `open ${name}`, perRound, run: open },
  ]
}

/** Median microseconds of each task; the tasks take turns in an order that changes. The first rounds warm up. */
function measure(tasks: readonly Task[], rounds: number, share: number): Map<string, number> {
  const samples = new Map<string, number[]>(tasks.map(task => [task.name, []]))
  const warmUp = Math.ceil(rounds / 6)
  for (let round = -warmUp; round < rounds; round++)
    for (const { name, perRound, run } of shuffled(tasks)) {
      const count = Math.max(1, Math.round(perRound * share))
      const began = performance.now()
      for (let i = 0; i < count; i++) run()
      if (round >= 0) samples.get(name)?.push(((performance.now() - began) * 1000) / count)
    }
  return new Map([...samples].map(([name, us]) => [name, quantile(us, 0.5)]))
}
