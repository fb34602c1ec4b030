/** The rules of the house that a machine can hold: who imports whom, how long a file is, what is written where. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kinds } from '../kinds/index.ts'
import { promises } from './promises.ts'

const root = join(import.meta.dirname, '..')
const rooms = ['kinds', 'relays', 'src', 'test', 'examples', 'bench', 'bin']
const files = rooms
  .filter(room => existsSync(join(root, room)))
  .flatMap(room =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.(ts|mjs)$/.test(name))
      .map(name => `${room}/${name}`),
  )
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')
const sources = files.filter(file => /^(kinds|relays|src)\//.test(file))
const bare = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')

interface Import {
  readonly from: string
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

/** Static and dynamic imports of a file, paths relative to the root. */
function importsOf(file: string): Import[] {
  const text = bare(textOf(file))
  const found: Import[] = []
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"]([^'"]+)['"]/gm))
    found.push({ from: match[2] ?? '', typeOnly: match[1] !== undefined, dynamic: false })
  for (const match of text.matchAll(/^import\s+['"]([^'"]+)['"]/gm))
    found.push({ from: match[1] ?? '', typeOnly: false, dynamic: false })
  for (const match of text.matchAll(/import\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ from: match[1] ?? '', typeOnly: false, dynamic: true })
  return found.map(one => ({
    ...one,
    from: one.from.startsWith('.') ? normalize(join(dirname(file), one.from)) : one.from,
  }))
}

/** Which room a file of ours belongs to. */
function roomOf(file: string): string {
  const [first = '', second = ''] = file.split('/')
  if (first !== 'src') return first
  const leaf = second.replace(/\.ts$/, '')
  // A concern may have a folder of its own parts beside its file.
  return ['job', 'keys', 'seal', 'intake', 'journal'].includes(leaf) ? leaf : leaf
}

/** The table of the design (DESIGN §2), and the leaves that everybody may use. */
const leaves = ['clock', 'bounded', 'hash']
const heart = ['job', 'mailbox', 'intake', 'keys', 'seal', 'journal', 'ledger']
const members = ['runners', 'payments', 'routing', 'verification', 'strategies']
const roles = ['client', 'node', 'router']
/** What applications use: above the client, below the commands. */
const doors = ['openai', 'ai-sdk', 'mcp']
const may: Record<string, readonly string[]> = {
  kinds: [],
  clock: [],
  bounded: [],
  hash: [],
  relays: ['kinds', ...leaves],
  job: ['kinds'],
  mailbox: ['kinds', ...leaves],
  journal: ['kinds', ...leaves],
  ledger: ['kinds', 'hash', 'bounded'],
  // What it simulates is the ledger and the routing themselves.
  sim: ['kinds', 'ledger', 'routing', 'hash', 'bounded'],
  escrow: ['kinds', 'relays', ...heart, 'payments', ...leaves],
  keys: ['kinds', ...leaves],
  seal: ['kinds', 'keys', ...leaves],
  intake: ['kinds', 'keys', ...leaves],
  connect: ['kinds', 'relays', 'intake', 'keys', ...leaves],
  payload: ['kinds', 'relays', 'keys', 'seal', 'journal', ...leaves],
  session: ['kinds', 'relays', 'connect', 'client', 'payload', ...heart, 'payments', 'routing', ...leaves],
  ...Object.fromEntries(doors.map(room => [room, ['kinds', 'session', ...leaves]])),
  ...Object.fromEntries(members.map(room => [room, ['kinds', 'ledger', 'tensors', ...leaves]])),
  ...Object.fromEntries(
    roles.map(room => [room, ['kinds', 'relays', 'escrow', 'payload', ...heart, ...members, ...leaves]]),
  ),
}

describe('who imports whom', () => {
  test('every room imports only what the table allows', () => {
    const wrong = sources.flatMap(file => {
      const room = roomOf(file)
      const allowed = may[room]
      if (!allowed) return ['cli', 'index'].includes(room) ? [] : [`${file}: room "${room}" is not in the table`]
      return importsOf(file)
        .filter(({ from }) => /^(kinds|relays|src)\//.test(from))
        .filter(({ from, typeOnly }) => {
          const target = roomOf(from)
          // A contract may be named as a type by those to whom the thing itself is handed.
          const contract = typeOnly && from === 'relays/relay.ts'
          return target !== room && !allowed.includes(target) && !contract
        })
        .map(({ from }) => `${file} imports ${from}`)
    })
    expect(wrong).toEqual([])
  })

  test('each outside package enters the house through one file', () => {
    // What `kinds/` signs its vectors with cannot come from a room of ours.
    const pardoned = new Set(['kinds/print.ts'])
    const entries = new Map<string, Set<string>>()
    for (const file of sources.filter(one => !pardoned.has(one)))
      for (const { from, typeOnly } of importsOf(file)) {
        if (/^(kinds|relays|src)\//.test(from) || from.startsWith('node:') || typeOnly) continue
        entries.set(from, (entries.get(from) ?? new Set()).add(file))
      }
    const shared = [...entries].filter(([, at]) => at.size > 1).map(([name, at]) => `${name}: ${[...at].join(', ')}`)
    expect(shared).toEqual([])
    expect(entries.size).toBeGreaterThan(5)
  })

  test('native and heavy packages load when they are first used', () => {
    const heavy = [
      'node-llama-cpp',
      'koffi',
      'lightningdevkit',
      '@nostr-dev-kit/ndk',
      'nostr-relaypool',
      'nostr-wasm',
      'onnxruntime-node',
    ]
    const eager = sources.flatMap(file =>
      importsOf(file)
        .filter(({ from, dynamic, typeOnly }) => heavy.includes(from) && !dynamic && !typeOnly)
        .map(({ from }) => `${file} loads ${from} at once`),
    )
    expect(eager).toEqual([])
  })

  test('what must run in a browser reaches no node: module, not even through others', () => {
    const starts = sources.filter(file =>
      /^(kinds\/(?!print)|src\/((job|client|ledger|tensors)(\/|\.)|journal\/memory))/.test(file),
    )
    expect(starts.length).toBeGreaterThan(20)
    const reached = new Map(starts.map(file => [file, file]))
    const tainted: string[] = []
    for (const [file, path] of reached)
      for (const { from, typeOnly, dynamic } of importsOf(file)) {
        if (typeOnly || dynamic) continue
        if (from.startsWith('node:')) tainted.push(`${path} → ${from}`)
        else if (/^(kinds|relays|src)\//.test(from) && !reached.has(from)) reached.set(from, `${path} → ${from}`)
      }
    expect(tainted).toEqual([])
  })
})

describe('shape', () => {
  test('no file is longer than 300 lines', () => {
    expect(files.filter(file => textOf(file).split('\n').length > 301)).toEqual([])
  })

  test('names say what a thing is', () => {
    const vague = /(^|[/-])(utils?|helpers?|common|core|base|managers?|services?|handlers?|impl|misc)\.ts$/
    // NIP-47 and NIP-89 call these things so themselves.
    const named = new Set(['src/payments/nwc/service.ts'])
    expect(files.filter(file => vague.test(file) && !named.has(file))).toEqual([])
  })

  test('every source file begins by saying what it is', () => {
    expect(sources.filter(file => !file.endsWith('.d.ts') && !/^\/\*\*[\s\S]*?@module/.test(textOf(file)))).toEqual([])
  })

  test('nothing unfinished, untyped or unfit for Node’s type stripping', () => {
    const marks =
      /\b(TODO|FIXME|XXX)\b|@ts-ignore|@ts-expect-error|\bas any\b|: any\b|as unknown as|\bexport default\b|^\s*(await )?using \w/m
    const tests = /\b(it|test|describe)\.only\b/
    expect(sources.filter(file => marks.test(bare(textOf(file))))).toEqual([])
    expect(files.filter(file => tests.test(textOf(file)) && file !== 'test/house.test.ts')).toEqual([])
  })

  test('nothing waits by sleeping in a test', () => {
    const sleeps = /setTimeout\(\s*(resolve|r|done|res)\b/
    expect(
      files.filter(file => /\.test\.ts$/.test(file) && sleeps.test(textOf(file)) && file !== 'test/house.test.ts'),
    ).toEqual([])
  })
})

describe('lists', () => {
  const listed = (room: string, contract: string, parts: RegExp) => {
    const index = textOf(`${room}/index.ts`)
    return readdirSync(join(root, room))
      .filter(name => name.endsWith('.ts') && name !== 'index.ts' && name !== contract && !parts.test(name))
      .filter(name => !index.includes(`./${name}`))
  }

  test('every kind, runner, rail, driver and command is in the list of its room', () => {
    expect(
      readdirSync(join(root, 'kinds')).filter(
        name => /^\d+-(?!.*samples)/.test(name) && !textOf('kinds/index.ts').includes(name),
      ),
    ).toEqual([])
    expect(listed('src/runners', 'runner.ts', /^(refusals)\.ts$/)).toEqual([])
    for (const rail of ['sim', 'ldk', 'nwc']) expect(textOf('src/payments/index.ts')).toContain(`./${rail}.ts`)
    for (const driver of ['memory', 'pool', 'ndk', 'relaypool'])
      expect(textOf('relays/index.ts')).toContain(`./${driver}.ts`)
    const commands = readdirSync(join(root, 'src/cli/commands'))
    expect(commands.filter(name => !textOf('src/cli/index.ts').includes(name))).toEqual([])
  })

  test('every member is proven by the shared suite of its room', () => {
    const tests = files.filter(file => /^test\/[^/]*\.test\.ts$/.test(file)).map(textOf)
    const runs = (suite: string, member: string) =>
      tests.some(text => text.includes(`${suite}(`) && text.includes(member))
    for (const runner of ['echo', 'llama']) expect(runs('runnerSuite', runner), runner).toBe(true)
    for (const rail of ['sim', 'ldk', 'nwc']) expect(runs('paymentSuite', rail), rail).toBe(true)
    for (const journal of ['memory', 'sqlite']) expect(runs('journalSuite', journal), journal).toBe(true)
  })
})

describe('what is said', () => {
  test('kind numbers are written in kinds/ only', () => {
    // 5 and 7000 mean too many other things, such as milliseconds.
    const numbers = kinds.map(kind => kind.number).filter(number => number > 100 && number % 1000 !== 0)
    const spelled = new RegExp(
      `(?<![\\w.])(${numbers.flatMap(n => [String(n), n.toLocaleString('en').replace(/,/g, '_')]).join('|')})(?![\\w.])`,
    )
    const wrong = sources
      .filter(file => !file.startsWith('kinds/'))
      .filter(file => spelled.test(bare(textOf(file)).replace(/'[^'\n]*'|`[^`]*`/g, '')))
    expect(wrong).toEqual([])
  })

  test('tag names are written in kinds/ and, for NIP-01 itself, in relays/ only', () => {
    const tag = /\[\s*'(e|p|i|d|k|a|status|amount|bolt11|description|preimage|param|encrypted|request|relays|bid)',/
    expect(sources.filter(file => file.startsWith('src/') && tag.test(bare(textOf(file))))).toEqual([])
  })

  test('printed pages and vectors are what the code prints', () => {
    expect(() =>
      execFileSync(process.execPath, ['kinds/print.ts', '--check'], { cwd: root, stdio: 'pipe' }),
    ).not.toThrow()
  })

  test('every promise is kept by a test that cites it', () => {
    const texts = files
      .filter(file => file.startsWith('test/') && file !== 'test/promises.ts')
      .map(textOf)
      .join('\n')
    expect(
      Object.keys(promises).filter(id => !new RegExp(`keeps\\(\\s*'${id.replace('.', '\\.')}'`).test(texts)),
    ).toEqual([])
  })

  test('nothing names the place where it was written', () => {
    const said = /\/work\/(shared|main)|shared\/(reference|lab|seeds|vectors)/
    const all = [...files, 'README.md', 'AGENTS.md', 'CHANGELOG.md', 'package.json', '.ci/run'].filter(file =>
      existsSync(join(root, file)),
    )
    expect(all.filter(file => said.test(textOf(file)) && file !== 'test/house.test.ts')).toEqual([])
  })
})
