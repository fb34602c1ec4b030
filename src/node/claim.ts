/**
 * How fast this node says it is (kind 38600): its own runner measured by itself, without a relay in between.
 * @module
 */
import { benchmark, textRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { ModelInfo, Runner } from '../runners/runner.ts'
import type { NodeEvent } from './node-event.ts'

export interface ClaimOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly runner: Runner
  readonly models: readonly ModelInfo[]
  tell(event: NodeEvent): void
}

const samples = 3
const maxTokens = 32
const profile = `chat-${maxTokens}`
const prompt = 'Count from one to forty in words, and write nothing else.'
/** Models that are measured; each costs some seconds of work. */
const mostModels = 8
const validSeconds = 30 * 86_400
const keepMs = 600_000

/** Measures each model, and publishes a claim for each that answered. Never rejects. */
export async function claimSpeed(options: ClaimOptions, signal: AbortSignal): Promise<void> {
  const { relays, keys, secret, clock, runner, models, tell } = options
  const node = keys.publicKey(secret)
  // What is measured is a chat.
  const kind = runner.kinds.find(one => one === textRequest.number)
  if (kind === undefined) return
  for (const { name } of models.slice(0, mostModels)) {
    try {
      const runs: { firstMs: number; perSecond: number }[] = []
      for (let i = 0; i < samples; i++) runs.push(await measure(runner, clock, kind, name, signal))
      const at = seconds(clock)
      const value = {
        ...{ node, kind, model: name, profile, samples, at, expiresAt: at + validSeconds },
        firstMs: median(runs.map(run => run.firstMs)),
        tokensPerSecond: Math.round(median(runs.map(run => run.perSecond)) * 100) / 100,
      }
      const event = keys.sign(benchmark.write(value, at), secret)
      void relays.publish(event, { want: 1, keepMs })
      tell({ event: 'measured', id: event.id, ms: value.firstMs, says: `${name}: ${value.tokensPerSecond} tokens/s` })
    } catch (error) {
      if (signal.aborted) return
      tell({ event: 'trouble', says: `The speed of ${name} could not be measured: ${String(error)}` })
    }
  }
}

async function measure(runner: Runner, clock: Clock, kind: number, model: string, signal: AbortSignal) {
  const began = clock.now()
  let first: number | undefined
  const messages = [{ role: 'user' as const, content: prompt }]
  const emit = () => {
    first ??= clock.now()
  }
  const { outputTokens } = await runner.run({ id: 'benchmark', kind, messages, model, maxTokens }, emit, signal)
  const firstAt = first ?? clock.now()
  // A clock counts whole milliseconds: what took less is said as if it had taken one.
  const restMs = Math.max(1, clock.now() - firstAt)
  return { firstMs: firstAt - began, perSecond: (Math.max(1, outputTokens - 1) * 1000) / restMs }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
