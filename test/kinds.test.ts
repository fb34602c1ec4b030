import { readdirSync, readFileSync } from 'node:fs'
import { verifyEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import { kinds } from '../kinds/index.ts'
import type { Event } from '../kinds/kind.ts'
import { pageOf, printed, staleFiles, vectorsOf } from '../kinds/print.ts'
import { kindSuite } from './suites/kinds.ts'

for (const kind of kinds) kindSuite(kind)

describe('the list of kinds', () => {
  test('holds each number once, in order', () => {
    const numbers = kinds.map(kind => kind.number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  })

  test('holds every kind that has a file', () => {
    const files = readdirSync(new URL('../kinds', import.meta.url))
      .filter(name => /^[0-9]+-.*\.ts$/.test(name) && !name.endsWith('-samples.ts'))
      .map(name => Number.parseInt(name, 10))
    expect(files.sort((a, b) => a - b)).toEqual(kinds.map(kind => kind.number))
  })
})

test('everything but the printer runs in a browser and imports nothing of ours', () => {
  const folder = new URL('../kinds/', import.meta.url)
  for (const name of readdirSync(folder).filter(file => file.endsWith('.ts') && file !== 'print.ts')) {
    const source = readFileSync(new URL(name, folder), 'utf8')
    const from = [...source.matchAll(/from '([^']+)'/g)].map(match => match[1] ?? '')
    expect([name, from.filter(path => !path.startsWith('./'))]).toEqual([name, []])
    expect([name, /\b(Buffer|process|__dirname|require)\b/.test(source)]).toEqual([name, false])
  }
})

describe('printed files', () => {
  test('are fresh', () => {
    expect(staleFiles()).toEqual([])
  })

  test('repeat byte for byte', () => {
    expect([...printed()]).toEqual([...printed()])
  })

  test.each(kinds.map(kind => [kind.number, kind] as const))('page %i names every rule and every tag', (_, kind) => {
    const page = pageOf(kind)
    for (const { id, says } of kind.rules) expect(page).toContain(`\`${id}\`: ${says}`)
    for (const field of kind.fields) expect(page).toContain(field.says.replaceAll('|', '\\|'))
  })

  test.each(kinds.map(kind => [kind.number, kind] as const))('vectors %i verify with a foreign library', (_, kind) => {
    const { good, bad } = vectorsOf(kind)
    for (const { event } of [...good, ...bad]) {
      const fresh = JSON.parse(JSON.stringify(event)) as Event
      expect(verifyEvent({ ...fresh, tags: fresh.tags.map(tag => [...tag]) })).toBe(true)
    }
  })
})
