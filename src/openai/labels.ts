/**
 * Response headers: which job, which node, what it cost and who could read it.
 * @module
 */
import type { Privacy } from '../../kinds/index.ts'
import type { Answered } from '../session/session.ts'
import type { Jobs } from './steps.ts'

/** More is no header any more. */
const mostChars = 4_096

/** JSON as a header can carry it: letters beyond ASCII are written as their escapes. */
function headerJson(value: unknown): string | undefined {
  const text = JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length <= mostChars ? text : undefined
}

function write(entries: Readonly<Record<string, string | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(entries)) if (value) headers.set(name, value)
  return headers
}

const some = (words: readonly string[]): string => [...new Set(words)].slice(0, 16).join(', ')

/** Headers of answers that are whole. Costs of several are summed; the report is that of the least private one. */
export function answerHeaders(answers: readonly Answered[]): Headers {
  const sum = (of: (answer: Answered) => bigint) => answers.reduce((all, answer) => all + of(answer), 0n)
  const least = answers.reduce<Answered | undefined>(
    (worst, one) => (worst && worst.privacy.level <= one.privacy.level ? worst : one),
    undefined,
  )
  return write({
    'x-request-id': answers[0]?.request,
    'x-gridstr-jobs': answers.length > 1 ? some(answers.map(({ request }) => request)) : undefined,
    'x-gridstr-node': some(answers.map(({ node }) => node)),
    'x-gridstr-cost-msats': String(sum(({ msats }) => msats)),
    'x-gridstr-fee-msats': String(sum(({ feeMsats }) => feeMsats)),
    'x-gridstr-privacy': least && headerJson(least.privacy),
    'openai-processing-ms': String(Math.max(0, ...answers.map(({ ms }) => Math.round(ms)))),
  })
}

/** Headers of a stream, which go before the answer: what is known by then. */
export const streamHeaders = (jobs: Jobs, wanted: Privacy | undefined): Headers => {
  const headers = write({
    'x-request-id': jobs.requests[0],
    'x-gridstr-jobs': jobs.requests.length > 1 ? some(jobs.requests) : undefined,
    'x-gridstr-node': some(jobs.nodes),
    'x-gridstr-privacy': wanted === undefined ? undefined : headerJson({ wanted }),
  })
  headers.set('content-type', 'text/event-stream; charset=utf-8')
  headers.set('cache-control', 'no-cache')
  return headers
}
