/** Every story in examples/ holds, is listed, and uses nothing but what the package exports. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, start } from './spawn.ts'

const folder = join(root, 'examples')
const names = readdirSync(folder).flatMap(file => (/^(?!index).*\.ts$/.test(file) ? [file.slice(0, -3)] : []))
const publicEntries = ['kinds', 'relays', 'src', 'src/openai', 'src/ai-sdk'].map(room => `../${room}/index.ts`)
const run = (...argv: string[]) => start('example', process.execPath, [join(folder, 'index.ts'), ...argv])

describe('examples', () => {
  test('there are some', () => expect(names.length).toBeGreaterThan(2))

  test.each(names)('%s', async name => {
    const story = run(name)
    expect(await story.exit()).toEqual({ code: 0, signal: null })
    expect(story.err.at(-1)).toMatch(`— ${name} held`)
    expect(story.out.length).toBeGreaterThan(0)
    const text = readFileSync(join(folder, `${name}.ts`), 'utf8')
    const entries = [...text.matchAll(/from '(\.[^']+)'/g)].map(match => match[1])
    const stage = entries.filter(entry => entry?.startsWith('./stage/'))
    expect([...publicEntries, ...stage]).toEqual(expect.arrayContaining(entries))
    expect(text).toContain("from 'node:assert/strict'")
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`(${name}.ts)`)
  })

  test('what they share uses nothing else either', () => {
    const shared = readdirSync(join(folder, 'stage'))
    expect(shared.length).toBeGreaterThan(0)
    for (const file of shared) {
      const text = readFileSync(join(folder, 'stage', file), 'utf8')
      const entries = [...text.matchAll(/from '(\.[^']+)'/g)].map(match => match[1])
      expect(publicEntries.map(entry => `../${entry}`)).toEqual(expect.arrayContaining(entries))
    }
  })

  test('a name that is none ends with 1 and says which there are', async () => {
    const story = run('nothing')
    expect((await story.exit()).code).toBe(1)
    for (const name of names) expect(story.err.join('\n')).toContain(name)
  })
})
