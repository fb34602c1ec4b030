/**
 * What a question brings beside its words: files, answers of earlier jobs, and what lies elsewhere.
 * @module
 */
import { readFile, stat } from 'node:fs/promises'
import { type Input, relayUrl, textInput } from '../../kinds/index.ts'
import { type Arguments, UsageError } from './command.ts'

export const inputOptions = {
  input: { type: 'string', multiple: true },
  file: { type: 'string', multiple: true },
} as const

export const inputHelp = [
  '  --file PATH      a text file to work on, 16 MiB at most; repeat for more. What no event carries goes in chunks',
  '  --input WHAT     job:ID (the answer to that job: of one of yours its text is brought, from the journal or the relays),',
  '                   event:ID@wss://… (its content) or url:https://… (nodes that fetch it); repeat for more',
]

/** Bytes of one file, and what a node fetches for one job. */
const mostBytes = 16 * 1024 * 1024

/** Files first, then what lies elsewhere. Throws `UsageError`. */
export async function inputsOf(args: Arguments): Promise<readonly Input[]> {
  const files: Input[] = []
  for (const path of args.texts('file')) files.push(textInput(await textOf(path)))
  return [...files, ...args.texts('input').map(inputOf)]
}

function inputOf(said: string): Input {
  const [, type, rest = ''] = /^(job|event|url):(.*)$/.exec(said) ?? []
  if (type === 'url') {
    if (/^https?:\/\//i.test(rest) && URL.canParse(rest)) return { data: rest, type }
    throw new UsageError('--input url: needs an address that begins with https://.')
  }
  const at = rest.indexOf('@')
  const [id, hint] = at < 0 ? [rest, undefined] : [rest.slice(0, at), rest.slice(at + 1)]
  if ((type !== 'job' && type !== 'event') || !/^[0-9a-f]{64}$/.test(id))
    throw new UsageError('--input: write job:ID, event:ID or url:https://…; an id has 64 hex digits.')
  const relay = hint === undefined ? undefined : relayUrl(hint)
  if (hint !== undefined && relay === undefined)
    throw new UsageError('--input: behind the @ stands a relay, as in event:ID@wss://relay.example.')
  return { data: id, type, ...(relay === undefined ? {} : { relay }) }
}

async function textOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) throw new UsageError(`--file ${path}: there is no such file.`)
  if (found.size > mostBytes)
    throw new UsageError(`--file ${path}: it has ${found.size} bytes and ${mostBytes} are taken: divide it.`)
  if (found.size === 0) throw new UsageError(`--file ${path}: it is empty.`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path))
  } catch {
    throw new UsageError(`--file ${path}: it is no UTF-8 text.`)
  }
}
