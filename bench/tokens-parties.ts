/**
 * The other processes of the tokens bench: `relay` is one embedded relay in memory, `node URL MODEL SEATS` a node that
 * serves the model to so many at once and, beside it, the bare echo that round trips are measured with, `bare MODEL` the same model in a plain session
 * of node-llama-cpp. Each says by IPC when it is ready and ends with its parent.
 * @module
 */
import { startRelay } from '../relays/index.ts'
import { wallClock } from '../src/clock.ts'
import { connectRelays } from '../src/connect.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { nanoPath } from '../src/runners/llama/source.ts'
import { llamaRunner } from '../src/runners/llama.ts'
import { openBareNode } from './echo-bare.ts'

/** One answer that a bare session is asked for. */
export interface BareQuestion {
  readonly n: number
  readonly prompt: string
  readonly maxTokens: number
}

/** What it took: from the asking to the first piece of text, and to the end. */
export interface BareAnswer {
  readonly n: number
  readonly text: string
  readonly tokens: number
  readonly firstMs: number
  readonly ms: number
}

/** As long as the shipped model can hold, prompt and answer together. */
export const contextTokens = 512
export const threads = 1

const clock = wallClock()
const [role, ...rest] = process.argv.slice(2)

async function serveRelay(): Promise<void> {
  const keys = await openKeys()
  // The speed limit per connection is lifted: it is a guard against floods and this is one.
  const limits = { messagesPerSecond: 1_000_000, messagesBurst: 1_000_000 }
  const relay = await startRelay({ clock, verify: event => keys.verify(event), limits })
  process.send?.({ url: relay.url })
}

async function serveNode(url = '', model = '', seats = '1'): Promise<void> {
  const keys = await openKeys()
  const secret = keys.newSecret()
  const runner = llamaRunner({ model, name: 'model', threads, contextTokens, parallel: Number(seats), gpu: false })
  const node = await openNode({
    relays: connectRelays({ urls: [url], keys, clock, secret }),
    ...{ keys, secret, clock, runner, priceMsats: 0n },
    limits: { jobsPerCustomer: 64, requestsPerMinute: 1_000_000, arrivalsPerMinute: 1_000_000 },
    service: { id: 'tokens', name: 'tokens', about: 'bench', kinds: runner.kinds, nodeKeys: [], slots: Number(seats) },
  })
  if (!(await node.ready)) throw new Error('the node does not hear itself')
  const bare = keys.newSecret()
  await openBareNode({ url, keys, secret: bare })
  process.send?.({ pubkey: node.pubkey, bare: keys.publicKey(bare) })
}

async function serveBare(name = ''): Promise<void> {
  const { getLlama, LlamaChatSession, LlamaLogLevel, resolveChatWrapper } = await import('node-llama-cpp')
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath: name === 'nano' ? nanoPath : name })
  const context = await model.createContext({ contextSize: contextTokens, sequences: 1, threads })
  const sequence = context.getSequence()
  // Found once, as the runner does: looking whose family a model is of takes longer than a short answer.
  const chatWrapper = resolveChatWrapper(model, { type: name === 'nano' ? 'jinjaTemplate' : 'auto' })
  process.on('message', ({ n, prompt, maxTokens }: BareQuestion) => {
    void (async () => {
      await sequence.clearHistory()
      const session = new LlamaChatSession({ contextSequence: sequence, chatWrapper })
      // A session would begin with an instruction of its own.
      session.setChatHistory([])
      const before = sequence.tokenMeter.usedOutputTokens
      const began = performance.now()
      let firstMs = 0
      const text = await session.prompt(prompt, {
        ...{ maxTokens, temperature: 0, trimWhitespaceSuffix: false },
        onTextChunk() {
          firstMs ||= performance.now() - began
        },
      })
      const ms = performance.now() - began
      const tokens = sequence.tokenMeter.usedOutputTokens - before
      session.dispose()
      process.send?.({ n, text, tokens, firstMs, ms } satisfies BareAnswer)
    })()
  })
  process.send?.({ ready: 'yes' })
}

if (role !== undefined) process.once('disconnect', () => process.exit())
if (role === 'relay') await serveRelay()
else if (role === 'node') await serveNode(...rest)
else if (role === 'bare') await serveBare(...rest)
