/** Fetching a model: what a hub sends is kept and checked for its length, a broken transfer goes on where it stopped. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readEmbeddings } from '../kinds/index.ts'
import { fetchModel, hubModel } from '../src/runners/onnx/hub.ts'
import { onnxRunner } from '../src/runners/onnx.ts'
import { RunnerError } from '../src/runners/runner.ts'
import { encoder, modelFiles } from './onnx-world.ts'
import { writeOnnx } from './onnx-writer.ts'

const { model: graph, data } = writeOnnx(encoder, 'model.onnx_data')
const whole: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries({ ...modelFiles(encoder), 'onnx/model.onnx': graph, 'onnx/model.onnx_data': data }).map(
    ([name, content]) => [
      name,
      content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content)),
    ],
  ),
)

const bigFile = 'onnx/model.onnx_data'
/** What the hub serves, and how. */
let files: Map<string, Uint8Array>
let etag: string
let asked: { path: string; range?: string; token?: string }[]
/** Bytes of the weights that were sent in whole answers. */
let sent: number
let answer: ((path: string, response: ServerResponse) => boolean) | undefined

const server = createServer((request, response) => {
  const path = (request.url ?? '').replace('/user/tiny/resolve/main/', '')
  const { range, authorization, 'if-range': mark } = request.headers
  asked.push({ path, ...(range && { range }), ...(authorization && { token: authorization }) })
  if (answer?.(path, response)) return
  const body = files.get(path)
  if (!body) {
    response.writeHead(404).end('not here')
    return
  }
  const from = range && mark === etag ? Number(/^bytes=(\d+)-$/.exec(range)?.[1]) : 0
  if (path === bigFile) sent += Math.max(0, body.length - from)
  if (from >= body.length && from > 0) response.writeHead(416).end()
  else response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': body.length - from }).end(body.subarray(from))
})
let endpoint = ''
beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => void server.close())
beforeEach(() => {
  files = new Map(whole)
  etag = '"1"'
  asked = []
  sent = 0
  answer = undefined
})

const fresh = () => mkdtempSync(join(tmpdir(), 'gridstr-hub-'))
const live = new AbortController().signal
const tiny = { repo: 'user/tiny', revision: 'main' }
/** Sends the first 100 bytes of the weights, and breaks off when they have come. */
async function breakOff(cacheDir: string): Promise<void> {
  let sending: ServerResponse | undefined
  answer = (path, response) => {
    if (path !== bigFile) return false
    response.writeHead(200, { ...(etag && { etag }), 'content-length': data.length })
    response.write(data.subarray(0, 100))
    sending = response
    return true
  }
  const onProgress = (done: number) => void (done === 100 && sending?.destroy())
  const broken = fetchModel(tiny, { cacheDir, endpoint, onProgress }, live)
  await expect(broken).rejects.toThrow(RunnerError)
  await expect(broken).rejects.toThrow(/broke off after 100 bytes.*goes on/)
  answer = undefined
}

describe('a model of a hub', () => {
  test('is fetched, computes, and is fetched no more', async () => {
    const [cacheDir, seen] = [fresh(), new Set<number>()]
    const env = { MODEL_ENDPOINT: endpoint, HF_TOKEN: 'secret' }
    const open = () =>
      onnxRunner({
        ...{ model: 'hf:user/tiny', cacheDir, env },
        onProgress: ({ phase, done, total }) => phase === 'download' && done === total && seen.add(done),
      })
    const runner = open()
    const { text } = await runner.run({ id: 'w', kind: 5080, messages: [], texts: ['oslo'] }, () => undefined, live)
    expect(readEmbeddings(text)?.vectors).toHaveLength(1)
    expect((await runner.models())[0]?.name).toBe('user/tiny')
    await runner.close()
    expect(asked.map(({ path }) => path)).toContain('1_Pooling/config.json')
    expect(asked.every(({ token }) => token === 'Bearer secret')).toBe(true)
    expect(seen.has(data.length)).toBe(true)
    asked = []
    files.clear()
    const again = open()
    expect(await again.models()).toHaveLength(1)
    await again.close()
    expect(asked).toEqual([])
  })

  test('goes on where it broke off', async () => {
    const cacheDir = fresh()
    await breakOff(cacheDir)
    asked = []
    const path = await fetchModel(tiny, { cacheDir, endpoint }, live)
    expect(asked).toContainEqual({ path: bigFile, range: 'bytes=100-' })
    expect(sent).toBe(data.length - 100)
    expect(asked.map(one => one.path)).not.toContain('tokenizer.json')
    expect(new Uint8Array(readFileSync(`${path}_data`))).toEqual(data)
    expect(readdirSync(join(path, '..')).sort()).toEqual(['model.onnx', 'model.onnx_data'])
  })

  test('that was changed meanwhile begins anew', async () => {
    const cacheDir = fresh()
    await breakOff(cacheDir)
    etag = '"2"'
    files.set(
      bigFile,
      data.map(byte => byte ^ 1),
    )
    const path = await fetchModel(tiny, { cacheDir, endpoint }, live)
    expect(new Uint8Array(readFileSync(`${path}_data`))).toEqual(files.get(bigFile))
  })

  test('that is shorter now than what was fetched begins anew', async () => {
    const cacheDir = fresh()
    await breakOff(cacheDir)
    files.set(bigFile, data.subarray(0, 50))
    const path = await fetchModel(tiny, { cacheDir, endpoint }, live)
    expect(statSync(`${path}_data`).size).toBe(50)
  })

  test('without a mark is not patched together', async () => {
    const cacheDir = fresh()
    etag = ''
    await breakOff(cacheDir)
    asked = []
    await fetchModel(tiny, { cacheDir, endpoint }, live)
    expect(asked).toContainEqual({ path: bigFile })
  })

  test('is left where it is by an abort', async () => {
    const [cacheDir, abort, reason] = [fresh(), new AbortController(), new Error('never mind')]
    answer = (path, response) => {
      if (path !== bigFile) return false
      response.writeHead(200, { etag, 'content-length': data.length })
      response.write(data.subarray(0, 100))
      return true
    }
    const onProgress = (done: number) => {
      if (done === 100) abort.abort(reason)
    }
    await expect(fetchModel(tiny, { cacheDir, endpoint, onProgress }, abort.signal)).rejects.toBe(reason)
    const folder = join(cacheDir, 'onnx', 'user--tiny@main', 'onnx')
    expect(existsSync(join(folder, 'model.onnx_data'))).toBe(false)
    answer = undefined
    await fetchModel(tiny, { cacheDir, endpoint }, live)
    expect(new Uint8Array(readFileSync(join(folder, 'model.onnx_data')))).toEqual(data)
  })

  test('may lie beside its tokenizer, or be another variant', async () => {
    files.delete('onnx/model.onnx')
    files.delete(bigFile)
    files.set('model.onnx', writeOnnx(encoder).model)
    files.set('onnx/model_int8.onnx', writeOnnx(encoder).model)
    const cacheDir = fresh()
    expect(await fetchModel(tiny, { cacheDir, endpoint }, live)).toMatch(/user--tiny@main\/model\.onnx$/)
    const int8 = hubModel('hf:user/tiny:int8') ?? tiny
    expect(await fetchModel(int8, { cacheDir, endpoint }, live)).toMatch(/onnx\/model_int8\.onnx$/)
    await expect(fetchModel({ ...tiny, variant: 'q4' }, { cacheDir, endpoint }, live)).rejects.toThrow(
      'has none of onnx/model_q4.onnx',
    )
  })

  test.each([
    [401, 'HF_TOKEN'],
    [500, 'try again later'],
  ])('that answers %i is told with the way out', async (status, says) => {
    answer = (_, response) => {
      response.writeHead(status).end()
      return true
    }
    await expect(fetchModel(tiny, { cacheDir: fresh(), endpoint }, live)).rejects.toThrow(says)
  })

  test('without a tokenizer or a graph is none', async () => {
    files.delete('tokenizer.json')
    await expect(fetchModel(tiny, { cacheDir: fresh(), endpoint }, live)).rejects.toThrow('has no tokenizer.json')
    files = new Map([['tokenizer.json', new Uint8Array([123, 125])]])
    await expect(fetchModel(tiny, { cacheDir: fresh(), endpoint }, live)).rejects.toThrow('exported to ONNX')
  })

  test('that nobody serves is told with the way out', async () => {
    const nobody = createServer().listen(0, '127.0.0.1')
    await once(nobody, 'listening')
    const { port } = nobody.address() as AddressInfo
    nobody.close()
    await once(nobody, 'close')
    const options = { cacheDir: fresh(), endpoint: `http://127.0.0.1:${port}` }
    await expect(fetchModel(tiny, options, live)).rejects.toThrow('set MODEL_ENDPOINT')
  })
})
