/** What is published works where nothing else of ours is: built, packed, installed into an empty folder, run and type-checked. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Running, root, rows, start } from './spawn.ts'

const asked = process.env['GRIDSTR_PACKAGE'] === '1'
const minutes = 60_000

const program = `
import { chooseNode, handClock, openClient, openKeys, openNode, openRunner, readMarket, simNet, wallClock, type Outcome } from 'gridstr'
import { textRequest, kinds, type Event } from 'gridstr/kinds'
import { memoryHub, openPool, startRelay, type Relays } from 'gridstr/relays'
import { createFetch } from 'gridstr/openai'
import { createGridstr } from 'gridstr/ai-sdk'

const clock = wallClock()
const keys = await openKeys()
const verify = (event: Event): boolean => keys.verify(event)
const relay = await startRelay({ clock, verify })
const relays: Relays = openPool({ urls: [relay.url], clock, admit: () => undefined })
const client = openClient({ relays, keys, secret: keys.newSecret(), clock, network: 'regtest' })
const ask = (): Promise<Outcome> => client.ask({ text: 'x', capMsats: 0n })
// @ts-expect-error money is bigint
const wrong = () => client.ask({ text: 'x', capMsats: 0 })
const all = [createFetch, createGridstr, chooseNode, handClock, openNode, openRunner, readMarket, simNet, memoryHub, ask, wrong]
await relays.close()
await relay.close()
console.log(JSON.stringify({ kinds: kinds.length, job: textRequest.number, functions: all.every(one => typeof one === 'function') }))
`

describe.runIf(asked)('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-package-'))
  const installed = join(folder, 'app')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs to the end; a failure shows all that was said. */
  async function done(running: Running): Promise<Running> {
    const { code } = await running.exit(5 * minutes)
    if (code !== 0)
      throw new Error(`${running.name} ended with ${code}:\n${[...running.out, ...running.err].join('\n')}`)
    return running
  }
  const npm = (cwd: string, ...argv: string[]) => done(start('npm', 'npm', argv, { cwd }))

  /** The machine's own Node first, not the one that our packages bring. */
  const own = (process.env['PATH'] ?? '').split(delimiter).filter(one => !one.includes('node_modules'))
  const bin = (...argv: string[]) =>
    start('gridstr', join(installed, 'node_modules/.bin/gridstr'), argv, {
      cwd: installed,
      env: { PATH: own.join(delimiter) },
    })

  beforeAll(async () => {
    await npm(root, 'run', 'build')
    await npm(root, 'pack', '--pack-destination', folder)
    const tarball = readdirSync(folder).find(file => file.endsWith('.tgz'))
    await done(start('mkdir', 'mkdir', [installed]))
    writeFileSync(join(installed, 'package.json'), '{"name":"app","private":true,"type":"module"}')
    await npm(installed, 'install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', `../${tarball}`)
  }, 10 * minutes)

  test('holds what runs and what people read, and none of our tests or sources', () => {
    const packed = readdirSync(join(installed, 'node_modules/gridstr'), { recursive: true, encoding: 'utf8' })
    for (const file of [
      'README.md',
      'LICENSE',
      'AGENTS.md',
      'strfry.conf',
      'bin/gridstr.mjs',
      'dist/src/index.d.ts',
      'dist/src/runners/nano/nano-q8_0.gguf',
      'kinds/pages/5050.md',
      'kinds/vectors/5050.json',
    ])
      expect(packed).toContain(file)
    expect(packed.filter(file => /(^|\/)test\/|(?<!\.d)\.ts$/.test(file))).toEqual([])
  })

  test(
    'gridstr help and gridstr demo run under the Node of the machine',
    async () => {
      const help = await done(bin('help'))
      expect(help.out.join('\n')).toContain('gridstr demo')
      const demo = await done(bin('demo', '--json'))
      expect(rows(demo.out).at(-1)).toMatchObject({ ok: true, msats: 2000, model: 'nano' })
    },
    2 * minutes,
  )

  test(
    'a program in strict TypeScript that imports it type-checks and runs',
    async () => {
      writeFileSync(join(installed, 'use.ts'), program)
      const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--noImplicitOverride']
      const how = ['--noEmit', '--module', 'nodenext', '--target', 'esnext', ...strict, 'use.ts']
      await done(
        start('tsc', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...how], { cwd: installed }),
      )
      const ran = await done(start('use.ts', process.execPath, ['use.ts'], { cwd: installed }))
      expect(rows(ran.out).at(-1)).toMatchObject({ job: 5050, functions: true })
    },
    2 * minutes,
  )
})

if (!asked)
  test.skip('the package is built, installed and run only with GRIDSTR_PACKAGE=1, because it takes a minute', () => {})
