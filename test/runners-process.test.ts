import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { handClock } from '../src/clock.ts'
import { openRunner, runners } from '../src/runners/index.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a module in a process of its own, which must end by itself, and parses what it prints. */
async function inProcess(body: string, from = root): Promise<unknown> {
  const head = `import { openRunner } from ${JSON.stringify(join(from, 'src/runners/index.ts'))}
    import { wallClock } from ${JSON.stringify(join(from, 'src/clock.ts'))}
    const clock = wallClock()
    const work = (content: string) => ({ id: 'w', kind: 5050, messages: [{ role: 'user', content }] })
    const never = new AbortController().signal
    const native = () => process.report.getReport().sharedObjects.filter(path => /llama|ggml/.test(path)).length`
  const folder = await mkdtemp(join(tmpdir(), 'gridstr-process-'))
  const script = join(folder, 'script.ts')
  await writeFile(script, `${head}\n${body}`)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 })
    return JSON.parse(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('the list of runners', () => {
  test('opens by name and names those that exist', () => {
    expect([...runners.keys()]).toEqual(['echo', 'llama', 'onnx'])
    for (const name of runners.keys()) expect(openRunner(name, { clock: handClock() }).name).toBe(name)
    expect(() => openRunner('gpt', { clock: handClock() })).toThrow(
      'there is no runner gpt; there are echo, llama, onnx',
    )
  })
})

describe('a process', () => {
  test('that only echoes loads no native code, not even with a llama runner open', async () => {
    const seen = await inProcess(`
      openRunner('llama', { clock })
      const done = await openRunner('echo', { clock }).run(work('a b'), () => {}, never)
      console.log(JSON.stringify([done.text, native()]))`)
    expect(seen).toEqual(['a b', 0])
  })

  test('that closed its llama ends by itself', async () => {
    const seen = await inProcess(`
      const runner = openRunner('llama', { clock })
      const done = await runner.run(work('What is 3 + 4?'), () => {}, never)
      const loaded = native() > 0
      await runner.close()
      console.log(JSON.stringify([done.text, loaded]))`)
    expect(seen).toEqual(['3 + 4 = 7.', true])
  })

  test('does not start on shipped weights with one bit changed', async () => {
    const copy = await mkdtemp(join(tmpdir(), 'gridstr-package-'))
    await cp(join(root, 'src/runners'), join(copy, 'src/runners'), { recursive: true })
    await cp(join(root, 'kinds'), join(copy, 'kinds'), { recursive: true })
    await cp(join(root, 'src/clock.ts'), join(copy, 'src/clock.ts'))
    const path = join(copy, 'src/runners/nano/nano-q8_0.gguf')
    const bytes = await readFile(path)
    bytes[1_000_000] = Number(bytes[1_000_000]) ^ 1
    await writeFile(path, bytes)
    const says = await inProcess(
      `console.log(JSON.stringify(await openRunner('llama', { clock }).models().catch(String)))`,
      copy,
    )
    expect(says).toMatch(/^RunnerError: the shipped model .*nano-q8_0\.gguf is damaged .* install the package again/)
    await rm(copy, { recursive: true })
  })
})
