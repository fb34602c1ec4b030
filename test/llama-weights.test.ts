import { createHash } from 'node:crypto'
import {
  access,
  appendFile,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { nanoPath, nanoSha256 } from '../src/runners/llama/source.ts'
import { type LlamaProgress, llamaRunner } from '../src/runners/llama.ts'
import type { Runner } from '../src/runners/runner.ts'
import { collect, work } from './suites/runners.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const nano = await readFile(nanoPath)
/** Trailing zeros make the file longer than two of the pieces in which it is fetched. */
const long = Buffer.concat([nano, Buffer.alloc(9 << 20)])
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A file server on loopback that speaks as much of the hub's protocol as a download needs. */
async function openHub() {
  const requests: string[] = []
  let stallAfter = Number.POSITIVE_INFINITY
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://hub').pathname
    requests.push(`${request.method} ${path} ${request.headers.range ?? ''}`.trim())
    if (path === '/v2/someone/nano-GGUF/manifests/Q8_0') {
      response.end(JSON.stringify({ ggufFile: { rfilename: 'nano-q8_0.gguf' } }))
      return
    }
    const body = path.endsWith('/nano-q8_0.gguf') ? nano : path === '/long.gguf' ? long : undefined
    if (!body) {
      response.writeHead(path === '/down.gguf' ? 503 : 404).end()
      return
    }
    const [, from = '0', to = `${body.length - 1}`] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const part = body.subarray(Number(from), Number(to) + 1)
    const headers = { 'accept-ranges': 'bytes', 'content-length': part.length }
    const range = { 'content-range': `bytes ${from}-${to}/${body.length}` }
    response.writeHead(request.headers.range ? 206 : 200, request.headers.range ? { ...headers, ...range } : headers)
    if (request.method === 'HEAD') response.end()
    else if (request.headers.range && Number(from) + part.length > stallAfter) {
      response.write(part.subarray(0, Math.max(0, stallAfter - Number(from))))
    } else response.end(part)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stall: (bytes: number) => {
      stallAfter = bytes
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

let hub: Awaited<ReturnType<typeof openHub>>
let folder: string
const open: Runner[] = []
const openLlama = (options: Parameters<typeof llamaRunner>[0]) => {
  const runner = llamaRunner({ threads: 1, gpu: false, cacheDir: folder, env: {}, ...options })
  open.push(runner)
  return runner
}

beforeAll(async () => {
  hub = await openHub()
})
afterAll(async () => {
  await hub.close()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gridstr-weights-'))
  hub.requests.length = 0
  hub.stall(Number.POSITIVE_INFINITY)
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(runner => runner.close()))
  await rm(folder, { recursive: true })
})

describe('weights from the net', () => {
  test('by URL: fetched with progress, then kept, also without the server', async () => {
    const progress: LlamaProgress[] = []
    const model = `${hub.url}/files/nano-q8_0.gguf`
    const first = openLlama({ model, onProgress: step => void progress.push(step) })
    expect(await first.models()).toMatchObject([{ name: 'nano-q8_0', sha256: nanoSha256, contextTokens: 512 }])
    expect((await collect(first, work('What is 3 + 4?'))).done.text).toBe('3 + 4 = 7.')
    expect(progress).toContainEqual({ phase: 'download', done: nano.length, total: nano.length })
    expect(progress.at(-1)).toEqual({ phase: 'load', done: 100, total: 100 })

    const asked = hub.requests.length
    expect(asked).toBeGreaterThan(0)
    expect((await openLlama({ model }).models())[0]?.sha256).toBe(nanoSha256)
    expect(hub.requests).toHaveLength(asked)
  })

  test('files of one name from two URLs are kept apart', async () => {
    await openLlama({ model: `${hub.url}/one/nano-q8_0.gguf` }).models()
    await openLlama({ model: `${hub.url}/two/nano-q8_0.gguf` }).models()
    expect(hub.requests).toContainEqual(expect.stringMatching(/^GET \/one/))
    expect(hub.requests).toContainEqual(expect.stringMatching(/^GET \/two/))
    expect(await readdir(folder)).toHaveLength(2)
  })

  test.each(['MODEL_ENDPOINT', 'HF_ENDPOINT'])('by hf: URI through the hub that %s names', async variable => {
    const runner = openLlama({ model: 'hf:someone/nano-GGUF:Q8_0', env: { [variable]: hub.url } })
    expect((await runner.models())[0]?.sha256).toBe(nanoSha256)
    expect(hub.requests).toContain('GET /v2/someone/nano-GGUF/manifests/Q8_0')
    expect(hub.requests).toContainEqual(
      expect.stringMatching(/^GET \/someone\/nano-GGUF\/resolve\/main\/nano-q8_0.gguf/),
    )
    const asked = hub.requests.length
    await openLlama({ model: 'hf:someone/nano-GGUF:Q8_0', env: { [variable]: hub.url } }).models()
    expect(hub.requests).toHaveLength(asked)
  })

  test('a fetch that is broken off goes on where it stopped', async () => {
    hub.stall((5 << 20) + 1000)
    const model = `${hub.url}/long.gguf`
    const first = openLlama({ model })
    const failed = expect(first.models()).rejects.toThrow('the llama runner is closed')
    // The downloader notes behind the bytes which pieces it has; from then on they are not fetched again.
    await vi.waitFor(async () => {
      const [name] = (await readdir(folder, { recursive: true })).filter(path => path.endsWith('.ipull'))
      expect((await stat(join(folder, `${name}`))).size).toBeGreaterThan(long.length)
    })
    await first.close()
    await failed

    hub.stall(Number.POSITIVE_INFINITY)
    hub.requests.length = 0
    const second = openLlama({ model, sha256: sha256(long) })
    expect((await second.models())[0]?.sha256).toBe(sha256(long))
    const starts = hub.requests.flatMap(line => /bytes=(\d+)-/.exec(line)?.[1] ?? [])
    expect(starts.length).toBeGreaterThan(0)
    expect(Math.min(...starts.map(Number))).toBe(5 << 20)
  })

  test.each([
    ['a file that is not there', '/files/none.gguf', /cannot fetch .*404.*fetch the file and give its path/],
    ['a server that is down', '/down.gguf', /answers 503/],
  ])('%s is an error that says the way out', async (_, path, says) => {
    await expect(openLlama({ model: hub.url + path }).models()).rejects.toThrow(says)
  })

  test('a host that does not answer is an error at once', async () => {
    const gone = await openHub()
    await gone.close()
    const model = `${gone.url}/nano-q8_0.gguf`
    await expect(openLlama({ model }).models()).rejects.toThrow(/does not answer.*give its path/)
    const hf = openLlama({ model: 'hf:someone/nano-GGUF:Q8_0', env: { HF_ENDPOINT: gone.url } })
    await expect(hf.models()).rejects.toThrow(/does not answer/)
  })

  test.each([
    ['http://example.com/x.gguf', /not fetched over plain http/],
    ['ftp://example.com/x.gguf', /cannot fetch a model by ftp/],
    ['https://', /is not a URL/],
  ])('%s is not even tried', async (model, says) => {
    await expect(openLlama({ model }).models()).rejects.toThrow(says)
  })
})

describe('weights on disk', () => {
  test('the checksum is written beside the file and spares the reading next time', async () => {
    const model = join(folder, 'mine.gguf')
    await copyFile(nanoPath, model)
    expect(await openLlama({ model }).models()).toMatchObject([{ name: 'mine', sha256: nanoSha256 }])
    const note = await readFile(`${model}.sha256`, 'utf8')
    expect(note.split('\n')[0]).toBe(`${nanoSha256}  mine.gguf`)
    // A note that lies while size and time match is believed: so the file was not read again.
    await writeFile(`${model}.sha256`, note.replace(nanoSha256, 'ab'.repeat(32)))
    expect((await openLlama({ model }).models())[0]?.sha256).toBe('ab'.repeat(32))
  })

  test('a file that only was touched is accepted, a file that changed is refused', async () => {
    const model = join(folder, 'mine.gguf')
    await copyFile(nanoPath, model)
    await openLlama({ model }).models()
    await utimes(model, 1, 1)
    expect((await openLlama({ model }).models())[0]?.sha256).toBe(nanoSha256)
    await appendFile(model, 'x')
    await expect(openLlama({ model }).models()).rejects.toThrow(/has changed.*delete .*mine\.gguf\.sha256 to accept/)
    await rm(`${model}.sha256`)
    await openLlama({ model }).models()
  })

  test("a publisher's checksum file is honoured", async () => {
    const model = join(folder, 'mine.gguf')
    await copyFile(nanoPath, model)
    await writeFile(`${model}.sha256`, `${'00'.repeat(32)} *mine.gguf\n`)
    await expect(openLlama({ model }).models()).rejects.toThrow(/has changed/)
  })

  test('weights without the sha256 that was asked for are refused and leave no note', async () => {
    const model = join(folder, 'mine.gguf')
    await copyFile(nanoPath, model)
    await expect(openLlama({ model, sha256: 'cd'.repeat(32) }).models()).rejects.toThrow(
      /wrong checksum.*expected cdcd/,
    )
    await expect(access(`${model}.sha256`)).rejects.toThrow()
  })

  test('a missing file, a folder, another format and a torn file are errors that say the way out', async () => {
    const model = join(folder, 'mine.gguf')
    await expect(openLlama({ model }).models()).rejects.toThrow(/no model file at .*correct the path/)
    await expect(openLlama({ model: folder }).models()).rejects.toThrow(/give the path of a \.gguf file/)
    await writeFile(model, 'PK not a model')
    await expect(openLlama({ model }).models()).rejects.toThrow(/is not a GGUF file/)
    await copyFile(nanoPath, model)
    await truncate(model, 1_000_000)
    const torn = openLlama({ model })
    await expect(torn.models()).rejects.toThrow(/llama\.cpp cannot load .*mine\.gguf.*fetch the file again/)
    await expect(collect(torn, work('x'))).rejects.toMatchObject({ name: 'RunnerError' })
  })

  test('after a failure the operator may mend the file and the runner loads it', async () => {
    const model = join(folder, 'mine.gguf')
    const runner = openLlama({ model })
    await expect(runner.models()).rejects.toThrow(/no model file/)
    await copyFile(nanoPath, model)
    expect((await collect(runner, work('What is 3 + 4?'))).done.text).toBe('3 + 4 = 7.')
  })
})
