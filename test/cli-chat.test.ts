/** A conversation in a terminal, turn by turn; the session behind it is scripted and nobody really types. */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { chat } from '../src/cli/chatting.ts'
import type { Io, Talk } from '../src/cli/command.ts'
import { openScreen } from '../src/cli/screen.ts'
import { openTalk } from '../src/cli/talk.ts'
import { handClock } from '../src/clock.ts'
import type { Moment } from '../src/session/session.ts'
import { answered, type Cast, says, scriptedSession, unanswered } from './session-scripted.ts'

/** Types these lines; a function is what happens instead of the next line. */
function talkOf(lines: readonly (string | (() => void))[]) {
  const waiting = [...lines]
  const listeners: (() => void)[] = []
  const interrupt = () => listeners.at(-1)?.()
  const talk: Talk = {
    async ask() {
      for (;;) {
        const next = waiting.shift()
        if (typeof next !== 'function') return next
        next()
      }
    },
    onInterrupt(listener) {
      listeners.push(listener)
      return () => void listeners.splice(listeners.lastIndexOf(listener), 1)
    },
    close() {},
  }
  return { talk, interrupt, listeners }
}

function stage(cast: Partial<Cast>, lines: readonly (string | (() => void))[], terminal = false) {
  const said = { out: '', err: '' }
  const stop = new AbortController()
  const io: Io = {
    out(text) {
      said.out += `${text}\n`
    },
    write(text) {
      said.out += text
    },
    err(text) {
      said.err += text
    },
    env: {},
    clock: handClock(),
    signal: stop.signal,
    terminal,
    stdin: async () => '',
  }
  const session = scriptedSession({
    reply: ({ messages = [] }) => {
      const text = `You said ${messages.at(-1)?.content}.`
      return { moments: says(text.slice(0, 9), text.slice(9)), outcome: answered({ text }) }
    },
    ...cast,
  })
  const { talk, interrupt, listeners } = talkOf(lines)
  const parts = { session, talk, io, screen: openScreen(io) }
  return {
    ...{ said, session, interrupt, listeners, stop },
    run: (json = false, system?: string) =>
      chat({ ...parts, json, question: { maxTokens: 9 }, ...(system === undefined ? {} : { system }) }),
  }
}

describe('turns', () => {
  test('each question takes the conversation along, and each answer says what it cost and who read it', async () => {
    const { run, said, session } = stage({}, ['one', '', '  two  '])
    expect(await run(false, 'Be brief.')).toBe(0)
    expect(said.out).toBe('You said one.\nYou said two.\n')
    expect(
      session.questions.map(({ messages }) => messages?.map(({ role, content }) => `${role}: ${content}`)),
    ).toEqual([
      ['system: Be brief.', 'user: one'],
      ['system: Be brief.', 'user: one', 'assistant: You said one.', 'user: two'],
    ])
    expect(session.questions.every(({ maxTokens }) => maxTokens === 9)).toBe(true)
    expect(said.err).toContain('2 sats (2,000 msats) · nano · 0.02 s to the first word · 3 tokens')
    expect(said.err).toContain('read by you and npub1')
    expect(said.err).toContain('sealed both ways · a key of this job only · level 1 (sealed to the node)')
    expect(said.err).toContain('free in all')
  })

  test('machines read one line of JSON for each moment', async () => {
    const { run, said } = stage({}, ['one'])
    await run(true)
    const lines = said.out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(line => line.event ?? line.ok)).toEqual(['delta', 'delta', true])
    expect(lines.at(-1)).toMatchObject({ text: 'You said one.', msats: 2_000, privacy: { level: 1 } })
  })

  test('nothing is written over the words of an answer, however late the node says that it works', async () => {
    const [asked, ...pieces] = says('one ', 'two')
    const moments = [asked, pieces[0], { moment: 'processing' }, pieces[1]].filter(moment => moment !== undefined)
    const { run, said, session } = stage(
      { reply: () => ({ moments: moments as Moment[], outcome: answered({ text: 'one two' }) }) },
      ['x'],
      true,
    )
    await run()
    expect(session.questions).toHaveLength(1)
    expect(said.out).toBe('one two\n')
    expect(said.err).not.toContain('works on it')
  })

  test('speed is told where there was time to tell it', async () => {
    const { run, said } = stage(
      { reply: () => ({ moments: says('x'), outcome: answered({ text: 'x', ms: 1_020 }) }) },
      ['x'],
    )
    await run()
    expect(said.err).toContain('3 tokens, 3 a second')
  })

  test('escape sequences of a model never reach the terminal', async () => {
    const text = '\u001b[2Jgone\u0007'
    const { run, said } = stage({ reply: () => ({ moments: says(text), outcome: answered({ text }) }) }, ['x'])
    await run()
    expect(said.out).toBe('gone\n')
  })

  test('a question without an answer is not part of the conversation, and can be asked again', async () => {
    let turn = 0
    const { run, said, session } = stage(
      {
        reply: () =>
          turn++ === 0
            ? { outcome: unanswered('over-cap', 'Nobody does it for 1 sat.', 1_000n) }
            : { moments: says('yes'), outcome: answered({ text: 'yes' }) },
      },
      ['one', '/retry'],
    )
    expect(await run()).toBe(0)
    expect(said.err).toContain('Nobody does it for 1 sat. 1 sat (1,000 msats) left and did not come back yet')
    expect(session.questions.map(({ messages }) => messages?.map(({ content }) => content))).toEqual([['one'], ['one']])
  })

  test('the exit status says whether the last question got its answer', async () => {
    const { run } = stage({ reply: () => ({ outcome: unanswered('no-node', 'Nobody is there.') }) }, ['one'])
    expect(await run()).toBe(1)
  })
})

describe('commands', () => {
  test('change the model, the instruction and the memory', async () => {
    const { run, session } = stage({}, [
      ...[
        '/model big',
        'one',
        '/forget',
        'two',
        '/system Rhyme.',
        'three',
        '/reset',
        '/model',
        'four',
        '/quit',
        'five',
      ],
    ])
    await run()
    expect(
      session.questions.map(({ model, messages }) => [model, ...(messages ?? []).map(({ content }) => content)]),
    ).toEqual([
      ['big', 'one'],
      ['big', 'two'],
      ['big', 'Rhyme.', 'three'],
      [undefined, 'Rhyme.', 'four'],
    ])
  })

  test('tell of money, models and privacy, and what they are', async () => {
    const nodes = [{ pubkey: 'a'.repeat(64), name: 'A' }]
    const models = [{ name: 'nano', kinds: [5050], contextTokens: 512, nodes }]
    const budget = { spentMsats: 2_000n, heldMsats: 0n, totalMsats: 10_000n }
    const { run, said, session } = stage({ models, budget }, ['/privacy', '/models', '/cost', '/nonsense'])
    expect(await run()).toBe(0)
    expect(session.questions).toEqual([])
    for (const words of [
      'nothing was asked yet',
      'nano · 1 node',
      'of 10 sats (10,000 msats)',
      'there is no /nonsense',
      '/retry',
    ])
      expect(said.err).toContain(words)
  })
})

describe('Ctrl-C', () => {
  test('withdraws the job that is under way, and the conversation goes on', async () => {
    let turn = 0
    const cast: Partial<Cast> = {
      reply: () =>
        turn++ === 0
          ? { moments: says('half'), outcome: answered(), hangs: true }
          : { moments: says('whole'), outcome: answered({ text: 'whole' }) },
    }
    const staged = stage(cast, ['one', 'two'])
    const { ask } = staged.session
    staged.session.ask = (question, signal) => {
      const asking = ask(question, signal)
      if (turn === 1) queueMicrotask(staged.interrupt)
      return asking
    }
    expect(await staged.run()).toBe(0)
    expect(staged.session.aborted).toHaveLength(1)
    expect(staged.said.err).toContain('withdrawn')
    expect(staged.said.out).toContain('whole')
    expect(staged.listeners).toEqual([])
  })

  test('with nothing under way says how to leave, and leaves the second time', async () => {
    const hints = (err: string) => err.split('Ctrl-C again').length - 1
    const staged = stage({}, [
      () => staged.interrupt(),
      'one',
      () => staged.interrupt(),
      () => staged.interrupt(),
      'two',
    ])
    await staged.run()
    expect(hints(staged.said.err)).toBe(2)
    expect(staged.session.questions).toHaveLength(1)
  })
})

describe('lines', () => {
  const open = () => {
    const input = Object.assign(new PassThrough(), { isTTY: false }) as PassThrough & NodeJS.ReadStream
    const output = Object.assign(new EventEmitter(), { isTTY: false }) as EventEmitter & NodeJS.WriteStream
    return { input, talk: openTalk({ input, output, onInterrupt() {} }) }
  }

  test('of a pipe are kept until they are asked for, and end with it', async () => {
    const { input, talk } = open()
    input.write('one\ntwo\nthr')
    input.end('ee')
    expect([await talk.ask(''), await talk.ask(''), await talk.ask(''), await talk.ask('')]).toEqual([
      ...['one', 'two', 'three'],
      undefined,
    ])
    talk.close()
  })
})
