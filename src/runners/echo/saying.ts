/**
 * What the echo says: the last question or the answer of a tool, the plainest JSON that a schema allows, or calls of tools.
 * @module
 */
import type { TokenLogprob } from '../../../kinds/index.ts'
import { parseJson } from '../../../kinds/json.ts'
import type { Tree } from '../answers/schema.ts'
import { accepts, plainest } from '../answers/schema-walks.ts'
import type { Callable, Form } from '../refusals.ts'
import type { Work } from '../runner.ts'

/** Words with the blanks before them: what the echo counts as tokens. */
export const words = (text: string): string[] => text.trim().match(/\s*\S+/g) ?? []

/** JSON in the pieces that it is written in. */
export const jsonPieces = (text: string): string[] => text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g) ?? []

/** What is to be repeated: the last message of a user or a tool that has text. */
export const lastQuestion = ({ messages }: Work): string =>
  messages.findLast(({ role, content }) => (role === 'user' || role === 'tool') && content.trim() !== '')?.content ?? ''

/** Words of the answer that are there already: a last message of the assistant is its beginning. */
export const begun = ({ messages }: Work): number => {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? words(last.content).length : 0
}

/** Always the same untruth. */
export const lie = (text: string): string =>
  `not ${words(text)
    .map(word => word.trim())
    .reverse()
    .join(' ')}`

/** A call that the echo makes. `json` is nothing where the schema wants more than an echo writes. */
export interface EchoCall {
  readonly name: string
  readonly json: string | undefined
}

/**
 * The calls of an answer. One that must come calls the first tool; else a tool is called that a user names last of all
 * speakers, and all of them where several may be. Arguments are the JSON of the question where it fits, or the plainest.
 */
export function callsOf(work: Work, { tools, mustCall }: Form): EchoCall[] {
  const question = lastQuestion(work)
  const asked = work.messages.at(-1)?.role === 'user' ? tools.filter(({ name }) => names(question, name)) : []
  const called = mustCall ? (asked.length > 0 ? asked : tools).slice(0, 1) : asked
  const most = work.parallelToolCalls === false ? 1 : called.length
  return called.slice(0, most).map((tool: Callable) => ({ name: tool.name, json: jsonOf(tool.tree, question) }))
}

const names = (text: string, name: string): boolean => text.split(/[^a-zA-Z0-9_.-]+/).includes(name)

/** JSON that fits: what the question brings from its first to its last brace, or the plainest. */
export function jsonOf(tree: Tree, question: string): string | undefined {
  const brought = parseJson(question.slice(question.indexOf('{'), question.lastIndexOf('}') + 1), {
    chars: 262_144,
    depth: 32,
    nodes: 8_192,
  })
  if (brought !== undefined && accepts(tree, brought)) return JSON.stringify(brought)
  const plain = plainest(tree)
  return plain === undefined ? undefined : JSON.stringify(plain)
}

/** An echo is half sure of each word, and half as sure of each other one. */
export function weigh(token: string, others: number): TokenLogprob {
  const sure = (index: number) => -Math.LN2 * (index + 1)
  const top = Array.from({ length: others }, (_, index) => ({
    token: token + '?'.repeat(index),
    logprob: sure(index),
  }))
  return { token, logprob: sure(0), top }
}
