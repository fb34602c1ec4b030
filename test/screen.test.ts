/** What people read: money, progress, folded lines. */
import { expect, test } from 'vitest'
import type { Io } from '../src/cli/command.ts'
import { bar, money, openScreen } from '../src/cli/screen.ts'
import { handClock } from '../src/clock.ts'

test('money is said in sats where it is whole sats, and in msats where it is not', () => {
  expect(money(0n)).toBe('free')
  expect(money(1_000n)).toBe('1 sat (1,000 msats)')
  expect(money(2_100_000_000n)).toBe('2,100,000 sats (2,100,000,000 msats)')
  expect(money(1_500n)).toBe('1,500 msats')
})

test('a bar is full at the end, empty at the beginning, and never longer', () => {
  expect(bar(0, 2e6, 4)).toBe('[....] 0 % of 2.0 MB')
  expect(bar(1e6, 2e6, 4)).toBe('[##..] 50 % of 2.0 MB')
  expect(bar(9e6, 2e6, 4)).toBe('[####] 100 % of 2.0 MB')
  expect(bar(3_500_000, undefined)).toBe('3.5 MB')
})

test('lines fold at the width of a terminal and stay whole in a log', () => {
  const shown = (columns?: number): string => {
    let text = ''
    const io: Io = {
      out() {},
      write() {},
      err: said => {
        text += said
      },
      env: {},
      clock: handClock(0),
      signal: new AbortController().signal,
      terminal: columns !== undefined,
      ...(columns === undefined ? {} : { columns }),
      stdin: async () => '',
    }
    openScreen(io).line('label', 'one two three four five six seven eight nine ten')
    return text
  }
  expect(shown()).toBe('   0.0 s  label     one two three four five six seven eight nine ten\n')
  const lines = shown(60).trimEnd().split('\n')
  expect(lines.length).toBe(2)
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60)
  expect(lines[1]).toMatch(/^ {20}\S/)
})

test('a log gets a line of progress every ten seconds, a terminal overwrites one', async () => {
  const clock = handClock(0)
  let text = ''
  const io = {
    ...{ out() {}, write() {}, env: {}, stdin: async () => '' },
    signal: new AbortController().signal,
    clock,
  }
  const err = (said: string) => {
    text += said
  }
  const screen = openScreen({ ...io, terminal: false, err })
  for (let second = 0; second < 25; second++) {
    screen.progress('model', `at ${second}`)
    await clock.advance(1_000)
  }
  expect(text.split('\n').map(line => line.slice(-5).trim())).toEqual(['at 10', 'at 20', ''])

  text = ''
  const shown = openScreen({ ...io, terminal: true, columns: 60, err })
  shown.progress('model', 'one')
  shown.progress('model', 'two')
  expect(text).toContain('\r\u001b[2K')
})

test('nothing is written over an answer that stands in the same terminal', () => {
  const clock = handClock()
  let seen = ''
  const add = (said: string) => {
    seen += said
  }
  const io = {
    out() {},
    write: add,
    err: add,
    env: {},
    stdin: async () => '',
    signal: new AbortController().signal,
    clock,
  }
  const screen = openScreen({ ...io, terminal: true, columns: 60 })
  screen.progress('working', 'a moment')
  screen.text('half an ')
  screen.progress('working', 'a late word')
  screen.text('answer')
  screen.line('done', 'paid')
  // A terminal takes a line away at this mark: what stands before it in the same line is gone.
  const lines = seen.split('\n').map(line => line.split('\u001b[2K').at(-1) ?? '')
  expect(lines).toEqual(['half an answer', '   0.0 s  done      paid', ''])
})
