/**
 * Prints every kind: `pages/<number>.md` for people, `vectors/<number>.json` (signed, the same bytes each time) for
 * other languages. `node kinds/print.ts` writes, `--check` only compares and exits 1 naming what is stale.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { schnorr } from '@noble/curves/secp256k1.js'
import { generalRules } from './define.ts'
import { kindClass } from './envelope.ts'
import { kinds } from './index.ts'
import type { Event, Template } from './kind.ts'
import { alwaysSealed } from './seal.ts'
import type { Definition, Spelling } from './spec.ts'

/** The key that signs all vectors: worthless by being public. */
export const vectorSecret = '0000000000000000000000000000000000000000000000000000000000000003'
const secret = Buffer.from(vectorSecret, 'hex')
const pubkey = Buffer.from(schnorr.getPublicKey(secret)).toString('hex')
/** When all samples happen, unix seconds. */
export const vectorTime = 1_800_000_000

/** Signs a template with the vector key and zero auxiliary randomness, so that the bytes repeat. */
export function signVector({ kind, created_at, tags, content }: Template): Event {
  const bytes = Buffer.from(JSON.stringify([0, pubkey, created_at, kind, tags, content]))
  const id = createHash('sha256').update(bytes).digest()
  const sig = Buffer.from(schnorr.sign(id, secret, new Uint8Array(32))).toString('hex')
  return { id: id.toString('hex'), pubkey, created_at, kind, tags, content, sig }
}

const spelled = ({ number }: Definition<unknown>, { tags, content = '' }: Spelling): Event =>
  signVector({ kind: number, created_at: vectorTime, tags, content })

/** A written sample as an event and, where its content is ciphertext by definition, what it opens to. */
function written(kind: Definition<unknown>, value: unknown): { event: Event; opened?: string } {
  const template = kind.write(value, vectorTime)
  if (!alwaysSealed.has(kind.number)) return { event: signVector(template) }
  return { event: signVector({ ...template, content: 'ciphertext' }), opened: template.content }
}

const opening = ({ opened }: Spelling): { opened?: string } => (opened === undefined ? {} : { opened })

/** The vectors of one kind as data. Money in values is a string of digits. */
export const vectorsOf = (kind: Definition<unknown>) => ({
  kind: kind.number,
  name: kind.name,
  about: 'Events to read. `opened` stands for the decrypted content. Bad ones are refused by the rule they name.',
  secret: vectorSecret,
  good: [
    ...kind.good.map(({ says, value }) => ({ says, ...written(kind, value), value })),
    ...kind.dialects.map(sample => ({
      says: sample.says,
      event: spelled(kind, sample),
      ...opening(sample),
      value: sample.value,
    })),
  ],
  bad: kind.bad.map(sample => ({
    says: sample.says,
    rule: `${kind.number}.${sample.breaks}`,
    event: spelled(kind, sample),
    ...opening(sample),
  })),
})

const print = (data: unknown): string =>
  `${JSON.stringify(data, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 1)}\n`

const cell = (text: string): string => text.replaceAll('|', '\\|')

const sealing = (kind: Definition<unknown>): string => {
  if (alwaysSealed.has(kind.number)) return 'The content is always ciphertext (NIP-44) for the reader named by `p`.'
  if (kind.seal === 'tags')
    return 'May be sealed: the private tags, and the content as `["content", "<text>"]`, become a JSON list whose ciphertext (NIP-44) is the content; `p`, `e`, `relays`, `expiration`, `nonce`, `routing` and `quote` stay public, `["encrypted"]` is added. Hidden `p` and `e` are ignored.'
  if (kind.seal === 'content')
    return 'May be sealed: the content becomes ciphertext (NIP-44), `i` and `x` are left out, `["encrypted"]` is added.'
  return 'Never sealed.'
}

/** An event with one tag on each line. */
const shown = ({ tags, ...event }: Event): string =>
  JSON.stringify({ ...event, tags: [] }, null, 2).replace(
    '"tags": []',
    () => `"tags": [${tags.map(tag => `\n    ${JSON.stringify(tag)}`).join(',')}${tags.length > 0 ? '\n  ' : ''}]`,
  )

/** The page of one kind: reads like a small NIP, rules numbered. */
export function pageOf(kind: Definition<unknown>): string {
  const example = kind.good.at(-1)
  const rules = [...generalRules, ...kind.rules]
  const lines = [
    `# Kind ${kind.number}: ${kind.name}`,
    '',
    `\`${kindClass(kind.number)}\` · after ${kind.source} · printed by \`kinds/print.ts\`, do not edit`,
    '',
    kind.says,
    '',
    '## Tags',
    '',
    '| tag | count | meaning |',
    '|---|---|---|',
    ...kind.fields
      .filter(field => field.form !== '')
      .map(field => `| \`${cell(field.form)}\` | ${field.count} | ${cell(field.says)} |`),
    '',
    'Unknown tags are ignored.',
    '',
    '## Content',
    '',
    kind.content,
    '',
    sealing(kind),
    '',
    '## Rules',
    '',
    'An event that breaks one is refused by its name; the first one broken counts.',
    '',
    ...rules.map(({ id, says }, index) => `${index + 1}. \`${id}\`: ${says}`),
  ]
  if (example) {
    const { event, opened } = written(kind, example.value)
    lines.push('', '## Example', '', example.says, '', '```json', shown(event), '```')
    if (opened !== undefined) lines.push('', 'Opened:', '', '```json', opened, '```')
  }
  if (kind.dialects.length > 0) lines.push('', '## Read as well', '', ...kind.dialects.map(({ says }) => `- ${says}`))
  lines.push('', `Signed examples, good and bad: \`vectors/${kind.number}.json\`.`, '')
  return lines.join('\n')
}

const here = dirname(fileURLToPath(import.meta.url))

/** Every printed file by its path under `kinds/`, as it should be. */
export function printed(): Map<string, string> {
  const files = new Map<string, string>()
  for (const kind of kinds) {
    files.set(`pages/${kind.number}.md`, pageOf(kind))
    files.set(`vectors/${kind.number}.json`, print(vectorsOf(kind)))
  }
  return files
}

const present = (folder: string): string[] => {
  try {
    return readdirSync(join(here, folder)).map(name => `${folder}/${name}`)
  } catch {
    return []
  }
}

const content = (file: string): string | undefined => {
  try {
    return readFileSync(join(here, file), 'utf8')
  } catch {
    return undefined
  }
}

/** Files that are missing, differ from what would be printed, or belong to no kind. */
export function staleFiles(): string[] {
  const wanted = printed()
  const stale = [...wanted].filter(([file, text]) => content(file) !== text).map(([file]) => file)
  const left = [...present('pages'), ...present('vectors')].filter(file => !wanted.has(file))
  return [...stale, ...left].sort()
}

function main(check: boolean): void {
  const stale = staleFiles()
  if (check) {
    for (const file of stale) console.error(`stale: kinds/${file} (run: node kinds/print.ts)`)
    process.exitCode = stale.length > 0 ? 1 : 0
    return
  }
  const wanted = printed()
  for (const file of stale) {
    const text = wanted.get(file)
    mkdirSync(dirname(join(here, file)), { recursive: true })
    if (text === undefined) unlinkSync(join(here, file))
    else writeFileSync(join(here, file), text)
    console.log(`kinds/${file}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.includes('--check'))
