/** What `gridstr node` lets an operator say of a node, and what reaches the relay of it. */
import { expect, test } from 'vitest'
import { benchmark, handler, nodeState } from '../kinds/index.ts'
import { type Io, UsageError } from '../src/cli/command.ts'
import { nodeCommand } from '../src/cli/commands/node.ts'
import { openStage } from './stage.ts'

function ioOf(stage: { clock: Io['clock'] }, signal: AbortSignal, heard: (line: string) => void = () => {}): Io {
  return {
    ...{ out: heard, write: () => {}, err: () => {}, env: {}, clock: stage.clock, signal, terminal: false },
    stdin: async () => '',
  }
}

test.each([
  ['--privacy', '4', /levels that you keep/],
  ['--privacy', '0;1', /levels that you keep/],
  ['--region', 'the moon', /one word/],
  ['--determinism', 'x'.repeat(65), /one word/],
  ['--usage-receipts', 'some', /routed, all or none/],
  ['--slots', '0', /from 1 to 64/],
])('a slip is named: %s %s', async (flag, value, says) => {
  const stage = await openStage()
  try {
    const never = new AbortController().signal
    const wrong = nodeCommand.run(['--relay', stage.url, '--runner', 'echo', flag, value], ioOf(stage, never))
    const error: unknown = await wrong.catch(thrown => thrown)
    expect(error).toBeInstanceOf(UsageError)
    expect(String(error)).toMatch(says)
  } finally {
    await stage.close()
  }
})

test.each([
  [['--no-benchmark'], { slots: 2, privacy: [0, 1, 2] }, false],
  [
    ['--region', 'eu', '--privacy', '2,1', '--determinism', 'greedy', '--slots', '5', '--surge'],
    { slots: 5, privacy: [1, 2], region: 'eu', determinism: 'greedy' },
    true,
  ],
])('what is said is announced: %j', async (flags, announced, measures) => {
  const stage = await openStage()
  const stop = new AbortController()
  const lines: string[] = []
  const { promise: enough, resolve } = Promise.withResolvers<void>()
  const io = ioOf(stage, stop.signal, line => {
    lines.push(line)
    if (lines.some(one => one.includes('"ready"')) && (!measures || lines.some(one => one.includes('"measured"'))))
      resolve()
  })
  try {
    const running = nodeCommand.run(['--relay', stage.url, '--runner', 'echo', '--json', ...flags], io)
    await Promise.race([enough, running])
    const { promise: seen, resolve: came } = Promise.withResolvers<void>()
    const wanted = [handler.number, nodeState.number, ...(measures ? [benchmark.number] : [])]
    const look = () => {
      if (wanted.every(kind => stage.seen.some(event => event.kind === kind))) came()
      else setImmediate(look)
    }
    look()
    await seen
    stop.abort()
    expect(await running).toBe(0)
    const event = stage.seen.find(({ kind }) => kind === handler.number)
    expect(event && handler.read(event)).toMatchObject({ ok: true, value: announced })
    const lease = stage.seen.find(({ kind }) => kind === nodeState.number)
    expect(lease && nodeState.read(lease)).toMatchObject({ ok: true, value: { slots: { total: announced.slots } } })
    expect(stage.seen.some(({ kind }) => kind === benchmark.number)).toBe(measures)
  } finally {
    stop.abort()
    await stage.close()
  }
})
