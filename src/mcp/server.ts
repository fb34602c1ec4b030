/**
 * The MCP server: the tools of a session behind the Model Context Protocol, over standard input and output. Nothing
 * listens on a port, and nothing but the protocol is written to standard output.
 * @module
 */
import { McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { Session } from '../session/session.ts'
import * as schemas from './schemas.ts'
import {
  balance,
  cancelJob,
  embed,
  infer,
  jobStatus,
  listModels,
  listNodes,
  quote,
  ToolFailure,
  type ToolResult,
} from './tools.ts'

/** The word on one event that rests on others. */
export interface Verified {
  readonly ok: boolean | null
  readonly what: string
  readonly checks: readonly { readonly name: string; readonly ok: boolean | null; readonly says: string }[]
}

export interface McpOptions {
  readonly session: Session
  readonly version: string
  /** Recomputes a published event from relay data; `undefined` where no relay has it. Rejects with an `Error` that says the way out. */
  verify(event: string, signal: AbortSignal): Promise<Verified | undefined>
  /** For the operator: never standard output. */
  onError?(error: Error): void
  /** The host has closed standard input. */
  onClose?(): void
}

const instructions =
  'Buys answers of language models on a market of independent nodes, paid in bitcoin over Lightning under the limits that the user set. Look at wallet_balance and list_models first. Each answer costs money: ask once, and keep it.'

/** Serves until the host closes standard input or `close` is called. */
export function serveMcp(options: McpOptions): { close(): Promise<void> } {
  const { onError, onClose } = options
  const handle = serveStdio(() => buildServer(options), { ...(onError ? { onerror: onError } : {}) })
  if (onClose) process.stdin.once('end', onClose).once('close', onClose)
  return handle
}

/** The server without a transport. */
export function buildServer({ session, version, verify }: McpOptions): McpServer {
  const server = new McpServer({ name: 'gridstr', version }, { instructions })
  const reads = { readOnlyHint: true, openWorldHint: true } as const
  const buys = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true } as const

  server.registerTool(
    'infer',
    {
      title: 'Ask a language model',
      description:
        'Buys one answer from a language model. Costs money: at most max_sats, within the limit of the session.',
      inputSchema: schemas.inferInput,
      outputSchema: schemas.inferOutput,
      annotations: buys,
    },
    (input, ctx) => answered(infer(session, input, progressOf(ctx), ctx.mcpReq.signal)),
  )
  server.registerTool(
    'embed',
    {
      title: 'Embed texts',
      description: 'Buys one vector for each text. Costs money.',
      inputSchema: schemas.embedInput,
      outputSchema: schemas.embedOutput,
      annotations: buys,
    },
    (input, ctx) => answered(embed(session, input, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'list_models',
    {
      title: 'Models on offer',
      description: 'The models that nodes offer now, with the lowest posted price.',
      inputSchema: schemas.nothing,
      outputSchema: schemas.modelsOutput,
      annotations: reads,
    },
    (_, ctx) => answered(listModels(session, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'list_nodes',
    {
      title: 'Nodes on offer',
      description: 'The nodes that announce themselves, with models, prices and levels of privacy.',
      inputSchema: schemas.nothing,
      outputSchema: schemas.nodesOutput,
      annotations: reads,
    },
    (_, ctx) => answered(listNodes(session, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'quote',
    {
      title: 'Ask for prices',
      description:
        'Who would do such a job and for how much, best first. Costs nothing and tells nobody what the job is.',
      inputSchema: schemas.quoteInput,
      outputSchema: schemas.quoteOutput,
      annotations: reads,
    },
    (input, ctx) => answered(quote(session, input, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'job_status',
    {
      title: 'State of a job',
      description: 'How a job of this client stands, and its answer where it is there. Costs nothing.',
      inputSchema: schemas.jobInput,
      outputSchema: schemas.jobOutput,
      annotations: reads,
    },
    ({ request }, ctx) => answered(jobStatus(session, request, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'cancel_job',
    {
      title: 'Withdraw a job',
      description: 'Withdraws a running job: the node stops, and nothing more is paid.',
      inputSchema: schemas.jobInput,
      outputSchema: schemas.cancelOutput,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    ({ request }) => answered(cancelJob(session, request)),
  )
  server.registerTool(
    'wallet_balance',
    {
      title: 'Money left',
      description: 'What the wallet holds, what this session spent, and what it may spend.',
      inputSchema: schemas.nothing,
      outputSchema: schemas.balanceOutput,
      annotations: reads,
    },
    (_, ctx) => answered(balance(session, ctx.mcpReq.signal)),
  )
  server.registerTool(
    'verify_receipt',
    {
      title: 'Verify a receipt',
      description: 'Recomputes from relay data alone whether a published receipt, score or routing event holds.',
      inputSchema: schemas.verifyInput,
      outputSchema: schemas.verifyOutput,
      annotations: reads,
    },
    ({ event }, ctx) => answered(verified(verify, event, ctx.mcpReq.signal)),
  )
  return server
}

async function verified(verify: McpOptions['verify'], event: string, signal: AbortSignal): Promise<ToolResult> {
  const report = await verify(event, signal).catch((error: unknown) => {
    throw new ToolFailure(error instanceof Error ? error.message : String(error))
  })
  if (!report)
    throw new ToolFailure('No relay has this event: check the id, or publish it to the relays of this session.')
  const { ok, what, checks } = report
  const word = ok === true ? 'everything holds' : ok === false ? 'something does not hold' : 'not all could be checked'
  const data = { ok, what, checks: checks.map(({ name, ok: holds, says }) => ({ name, ok: holds, says })) }
  const wrong = checks.filter(check => check.ok !== true).map(({ name, says }) => `${name}: ${says}`)
  return { text: [`${what}: ${word}.`, ...wrong].join('\n'), data }
}

/** The result as the protocol says it: what a model or its user can mend is a result too, marked as an error. */
async function answered(work: Promise<ToolResult>) {
  try {
    const { text, data } = await work
    return { content: [{ type: 'text' as const, text }], structuredContent: { ...data } }
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    return { content: [{ type: 'text' as const, text: error.message }], isError: true }
  }
}

/** Tells the host of the growing answer, where it asked to be told. */
function progressOf(ctx: ServerContext): (text: string) => void {
  const token = ctx.mcpReq._meta?.progressToken
  let progress = 0
  return text => {
    if (token === undefined || text === '') return
    progress += 1
    const params = { progressToken: token, progress, message: text }
    // A host that has gone away hears nothing, and the answer is still paid for.
    void ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
  }
}
