/**
 * Everything that relays, wallets and proxies saw of a question is scanned for its words: prompt, parameters and answer.
 * The scan proves itself on a question that was asked in the open.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feedback, frame, isSealed, textRequest, textResult } from '../kinds/index.ts'
import { ask, jobEvents, readable, secrets, words } from './scan/question.ts'
import { found, spellings } from './scan/spellings.ts'

describe('the scan', () => {
  test('finds a text however it is encoded', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 8, unit: 'grapheme' }).filter(text => /[a-z]{4}/i.test(text)),
        fc.string(),
        fc.string(),
        (text, before, after) => {
          const around = `${before}${text}${after}`
          const bytes = Buffer.from(around)
          for (const seen of [
            around,
            JSON.stringify(around),
            JSON.stringify(JSON.stringify(around)),
            bytes.toString('base64'),
            bytes.toString('base64url'),
            bytes.toString('hex'),
            encodeURIComponent(around.isWellFormed() ? around : ''),
          ])
            if (around.isWellFormed() || !seen.includes('%')) expect(found([text], seen), seen).toEqual([text])
        },
      ),
    )
  })

  test('does not find what is not there', () => {
    fc.assert(
      fc.property(fc.string(), seen => {
        expect(found(words, seen)).toEqual([])
      }),
    )
    expect(spellings('abcd').every(one => one.length >= 3)).toBe(true)
  })
})

describe('a question', () => {
  test('asked in the open is read by all: each word of it is found, so the scan would find them', async () => {
    const seen = await ask(0)
    expect(seen.text).toBe(secrets.answer)
    expect(seen.level).toBe(0)
    const [customer, node] = ['customer up', 'node down'].map(side =>
      words.filter(word => readable(seen).includes(`${side}: ${word}`)),
    )
    const asked = words.filter(word => word !== secrets.answer)
    expect(customer).toEqual(expect.arrayContaining(asked))
    expect(node).toEqual(expect.arrayContaining(asked))
    expect(readable(seen)).toContain(`node up: ${secrets.answer}`)
    expect(readable(seen)).toContain(`kept by the relay: ${secrets.prompt}`)
  }, 30_000)

  test('asked as usual is read by nobody but the node, its parameters and its answer neither', async () => {
    const seen = await ask(1)
    expect(seen.text).toBe(secrets.answer)
    expect(seen.msats).toBe(2_000n)
    expect(seen.level).toBe(1)
    expect(readable(seen)).toEqual([])
    // Not because nothing was seen: request, bill, frames and result passed by, sealed.
    const passed = new Set(jobEvents(seen).map(({ kind }) => kind))
    expect([...passed].sort()).toEqual([textRequest.number, textResult.number, feedback.number, frame.number].sort())
    expect(jobEvents(seen).every(event => isSealed(event))).toBe(true)
    // Nor how long it was, on which model, or where it was cut: that tells of the parameters.
    const shown = jobEvents(seen).flatMap(({ kind, tags }) =>
      kind === textResult.number ? tags.map(([name]) => name) : [],
    )
    expect([...new Set(shown)].sort()).toEqual(['e', 'encrypted', 'hidden', 'p'])
    expect(seen.wallets.length).toBeGreaterThan(2)
  }, 30_000)
})
