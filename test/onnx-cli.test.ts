/** `gridstr node --runner onnx`: announced with its kinds, and asked over a relay for vectors, a ranking and labels. */
import { expect, test } from 'vitest'
import {
  type AnyRequest,
  handler,
  jobIdOf,
  jobKinds,
  queryInput,
  readClasses,
  readEmbeddings,
  readRanking,
  type TextResult,
  textsInput,
} from '../kinds/index.ts'
import { type Io, UsageError } from '../src/cli/command.ts'
import { nodeCommand } from '../src/cli/commands/node.ts'
import { encoder, folderOf, modelFiles, width } from './onnx-world.ts'
import { openStage } from './stage.ts'

const ioOf = (clock: Io['clock'], signal: AbortSignal, out: (line: string) => void): Io => ({
  ...{ out, write: () => {}, err: () => {}, env: {}, clock, signal, terminal: false },
  stdin: async () => '',
})

test('a node serves embeddings, ranking and classification over a relay, in public and sealed', async () => {
  const stage = await openStage()
  const stop = new AbortController()
  const lines: string[] = []
  const { promise: ready, resolve } = Promise.withResolvers<string>()
  const io = ioOf(stage.clock, stop.signal, line => {
    lines.push(line)
    const said = JSON.parse(line) as { ready?: boolean; pubkey?: string }
    if (said.ready) resolve(said.pubkey ?? '')
  })
  try {
    const model = folderOf(modelFiles(encoder))
    const running = nodeCommand.run(['--relay', stage.url, '--runner', 'onnx', '--model', model, '--json'], io)
    const node = await Promise.race([ready, running.then(String)])
    const customer = stage.stranger()
    const waiting = new Map<string, (text: TextResult | string) => void>()
    await customer.hear(event => {
      const job = jobIdOf(event)
      const kind = jobKinds.find(({ result }) => result.number === event.kind)
      const settle = job === undefined ? undefined : waiting.get(job)
      if (!settle || event.pubkey !== node) return
      const opened = event.tags.some(([name]) => name === 'encrypted')
        ? customer.seal.decrypt(node, event.content)
        : undefined
      const read = kind?.result.read(event, opened)
      if (read) settle(read.ok ? read.value : read.says)
      else if (event.kind === 7_000 && opened?.includes('"error"')) settle(opened)
    })
    const ask = async (number: number, request: Partial<AnyRequest>, sealed: boolean): Promise<string> => {
      const kind = jobKinds.find(one => one.request.number === number)
      const value = { inputs: [], relays: [stage.url], providers: [node], stream: false, receipt: false, ...request }
      const encrypt = (plain: string) => customer.seal.encrypt(node, plain)
      const now = Math.floor(stage.clock.now() / 1_000)
      const template = kind?.request.write(value, now, sealed ? encrypt : undefined)
      if (!template) throw new Error('no such kind')
      const event = customer.sign(template)
      const answer = new Promise<TextResult | string>(settle => waiting.set(event.id, settle))
      await customer.relays.publish(event)
      const said = await answer
      if (typeof said === 'string') throw new Error(said)
      expect(said).toMatchObject({ model: expect.stringContaining('gridstr-onnx'), usage: { outputTokens: 0 } })
      return said.text
    }
    const texts = textsInput(['the sky is blue', 'grass is green', 'rain'])
    for (const sealed of [false, true]) {
      const vectors = readEmbeddings(await ask(5080, { inputs: [texts], dimensions: 4 }, sealed))?.vectors
      expect(vectors?.map(vector => vector.length)).toEqual([4, 4, 4])
      const ranking = readRanking(await ask(5081, { inputs: [queryInput('rain'), texts], topN: 1 }, sealed), 3)
      expect(ranking?.results).toEqual([{ index: 2, score: expect.closeTo(1, 5) }])
      const classes = readClasses(await ask(5082, { inputs: [texts], labels: ['rain', 'sky'] }, sealed))
      expect(classes?.results[2]?.[0]?.label).toBe('rain')
    }
    const announced = stage.seen.find(({ kind }) => kind === handler.number)
    expect(announced && handler.read(announced)).toMatchObject({
      ok: true,
      value: {
        kinds: [5080, 5081, 5082],
        models: [{ contextTokens: 16, kinds: [5080, 5081, 5082], dimensions: width }],
      },
    })
    stop.abort()
    expect(await running).toBe(0)
    expect(lines.filter(line => line.includes('"trouble"'))).toEqual([])
  } finally {
    stop.abort()
    await stage.close()
  }
})

test.each([
  [[], /names? a folder, an \.onnx file or hf:user\/repo/],
  [['--model', '/nowhere/at/all'], /give a folder with onnx\/model\.onnx/],
])('a model that is none is told before anything is announced: %j', async (more, says) => {
  const stage = await openStage()
  try {
    const io = ioOf(stage.clock, new AbortController().signal, () => {})
    const error: unknown = await nodeCommand.run(['--relay', stage.url, '--runner', 'onnx', ...more], io).catch(e => e)
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(says)
    expect(stage.seen).toEqual([])
  } finally {
    await stage.close()
  }
})
