/**
 * The lines of a batch asked side by side: under one budget, each again where that may help, until all are through, the
 * money is, or somebody stops it.
 * @module
 */
import { isRecord } from '../../../kinds/json.ts'
import { type Clock, pause } from '../../clock.ts'
import type { Budget } from '../../session/session.ts'
import type { BatchLine } from './lines.ts'
import type { ResultLine } from './results.ts'

export interface BatchWork {
  readonly lines: readonly BatchLine[]
  readonly concurrency: number
  /** Most that one line may cost. */
  readonly capMsats: bigint
  readonly clock: Clock
  readonly signal: AbortSignal
  fetch(url: string, init: RequestInit): Promise<Response>
  budget(): Budget
  /** A line has its result. */
  onResult(line: ResultLine): void
}

/** How it ended. `money`: the budget has no room for another line; `stopped`: somebody did not want to wait. */
export interface BatchEnd {
  readonly why: 'all' | 'money' | 'stopped'
  readonly answered: number
  readonly failed: number
}

const tries = 3
const waitMs = 1_000

/** Asks every line at most three times. Never rejects for what a node does. */
export async function askBatch(work: BatchWork): Promise<BatchEnd> {
  const { lines, concurrency, signal } = work
  let next = 0
  let running = 0
  let [answered, failed] = [0, 0]
  let money = false
  let wake = Promise.withResolvers<void>()
  const look = () => {
    wake.resolve()
    wake = Promise.withResolvers<void>()
  }
  signal.addEventListener('abort', look, { once: true })
  const stopped = () => signal.aborted || money

  async function one(line: BatchLine) {
    const end = await askLine(work, line)
    running--
    if (end === 'money') money = true
    else if (end) {
      work.onResult(end)
      if (end.response?.status_code === 200) answered++
      else failed++
    }
    look()
  }

  while (!stopped() && (next < lines.length || running > 0)) {
    const line = lines[next]
    if (line && running < concurrency && hasRoom(work)) {
      next++
      running++
      void one(line)
    } else if (running === 0) money = true
    else await wake.promise
  }
  // What runs is paid for: without a hurry its answers are waited for.
  while (running > 0 && !signal.aborted) await wake.promise
  signal.removeEventListener('abort', look)
  const through = next >= lines.length && !money
  return { why: signal.aborted && !(through && running === 0) ? 'stopped' : money ? 'money' : 'all', answered, failed }
}

/** The cap of one more line fits beside what runs. */
function hasRoom({ budget, capMsats }: BatchWork): boolean {
  const { totalMsats, spentMsats, heldMsats } = budget()
  return totalMsats === undefined || spentMsats + heldMsats + capMsats <= totalMsats
}

async function askLine(work: BatchWork, line: BatchLine): Promise<ResultLine | 'money' | undefined> {
  const { clock, signal } = work
  let paid = 0n
  for (let at = 1; ; at++) {
    const answer = await send(work, line).catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    )
    if (signal.aborted) return undefined
    if (answer instanceof Error) return resultOf(line, 0n, undefined, answer)
    const { response, body } = answer
    paid += BigInt(response.headers.get('x-gridstr-cost-msats') ?? 0)
    if (response.status === 402 && codeOf(body) === 'insufficient_quota' && !hasRoom(work)) return 'money'
    const again = response.headers.get('x-should-retry') === 'true' && at < tries
    if (!again) return resultOf(line, paid, answer)
    await pause(clock, waitMs * 2 ** at, signal)
    if (signal.aborted) return undefined
  }
}

interface Answer {
  readonly response: Response
  readonly body: unknown
}

async function send({ fetch }: BatchWork, { url, body, key }: BatchLine): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const response = await fetch(`http://gridstr.invalid${url}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  return { response, body: jsonOf(text) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function codeOf(body: unknown): unknown {
  const error = isRecord(body) ? body['error'] : undefined
  return isRecord(error) ? error['code'] : undefined
}

function resultOf(line: BatchLine, msats: bigint, answer: Answer | undefined, trouble?: Error): ResultLine {
  const id = `batch_req_${line.key.slice(0, 32)}`
  const cost = Number(msats)
  const node = answer?.response.headers.get('x-gridstr-node') ?? undefined
  const request = answer?.response.headers.get('x-request-id') ?? ''
  return {
    ...{ id, custom_id: line.id },
    response: answer ? { status_code: answer.response.status, request_id: request, body: answer.body } : null,
    error: trouble ? { code: 'trouble', message: trouble.message } : null,
    gridstr: { msats: cost, ...(node === undefined ? {} : { node }) },
  }
}
