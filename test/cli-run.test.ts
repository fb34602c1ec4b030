/** `gridstr run`: a Node program that knows nothing of us is answered by the market, and no socket listens. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { isMarketCall } from '../src/cli/preload/marks.ts'
import { walletMsats } from './client-grid.ts'
import { paidStage } from './paid-stage.ts'
import { gridstr, rows } from './spawn.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-run-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A program in a file of its own. */
function program(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

const openai = pathToFileURL(createRequire(import.meta.url).resolve('openai')).href
const chat = program(
  'chat.mjs',
  `import net from 'node:net'
   const listen = net.Server.prototype.listen
   net.Server.prototype.listen = function () { console.log(JSON.stringify({ listened: true })); return listen.apply(this, arguments) }
   const { default: OpenAI } = await import(${JSON.stringify(openai)})
   const client = new OpenAI(process.argv[2] === 'captured' ? { baseURL: 'https://api.openai.com/v1' } : {})
   const stream = await client.chat.completions.create({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'one two three' }] })
   let text = ''
   for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? ''
   const other = await (await fetch('data:text/plain,elsewhere')).text()
   console.log(JSON.stringify({ text, other, key: process.env.OPENAI_API_KEY, uri: process.env.GRIDSTR_RUN.includes('walletconnect') }))
   process.exitCode = 7`,
)

describe('a program under gridstr run', () => {
  const town = paidStage([{}])

  test('is answered and pays, sends everything else its own way, and ends by itself with its own status', async () => {
    const env = { OPENAI_BASE_URL: '', OPENAI_API_KEY: '' }
    const one = gridstr(
      ['run', '--relay', town().stage.url, '--wallet', town().uri, '--max-sats', '3', '--', process.execPath, chat],
      env,
    )
    expect(await one.exit()).toMatchObject({ code: 7 })
    expect(rows(one.out)).toEqual([{ text: 'one two three', other: 'elsewhere', key: 'gridstr', uri: false }])
    expect(walletMsats - (await town().grid.payer.balance())).toBe(2_000n)
    expect([...one.out, ...one.err].join('\n')).not.toContain(town().uri.slice(24, 64))
  })

  test('calls of the real address are answered where that was asked for, and a budget is an error of OpenAI', async () => {
    const env = { OPENAI_API_KEY: 'sk-mine' }
    const argv = ['run', '--relay', town().stage.url, '--capture-openai', '--', process.execPath, chat, 'captured']
    const poor = gridstr(argv, env)
    expect(await poor.exit()).toMatchObject({ code: 1 })
    expect(poor.err.join('\n')).toMatch(/402|insufficient_quota/)
  })

  test('a program in another language is told as such, a missing one too, and signals go on', async () => {
    const base = ['run', '--relay', town().stage.url, '--']
    const shell = gridstr([...base, 'sh', '-c', 'exit 3'])
    expect(await shell.exit()).toMatchObject({ code: 3 })
    expect(shell.err.join('\n')).toContain('no Node program')
    const none = gridstr([...base, join(folder, 'nothing')])
    expect(await none.exit()).toMatchObject({ code: 127 })
    const waits = program(
      'waits.mjs',
      `process.on('SIGTERM', () => process.exit(9)); console.log('{"ready":true}'); setInterval(() => {}, 1e6)`,
    )
    const long = gridstr([...base, process.execPath, waits])
    await long.row(row => row['ready'] === true)
    expect(await long.stop()).toBe(9)
    const help = gridstr(['run', '--'])
    expect(await help.exit()).toMatchObject({ code: 2 })
  })
})

test('only the addresses that were named are the market’s', () => {
  const bases = ['http://gridstr.invalid/v1', 'https://api.openai.com/v1/']
  for (const url of [
    'http://gridstr.invalid/v1/models',
    'https://api.openai.com/v1/chat/completions?x=1',
    'http://gridstr.invalid/v1',
  ])
    expect(isMarketCall(url, bases), url).toBe(true)
  for (const url of [
    ...['http://gridstr.invalid/v11/models', 'https://api.openai.com/v2', 'https://api.openai.com.evil.example/v1/x'],
    ...[
      'https://example.com/?u=http://gridstr.invalid/v1/',
      'data:text/plain,x',
      'nothing',
      '',
      'http://gridstr.invalid:81/v1/x',
    ],
  ])
    expect(isMarketCall(url, bases), url).toBe(false)
  expect(isMarketCall('http://x/v1', ['nothing'])).toBe(false)
})
