/**
 * What the tools of the MCP server take and give. Descriptions are read by models: they say what to do, in few words.
 * @module
 */
import { z } from 'zod'

const hexId = z.string().regex(/^[0-9a-f]{64}$/)
const sats = z.int().min(0).max(100_000_000)
const model = z.string().min(1).max(256).optional().describe('Name of a model from list_models; any when left out.')
const maxSats = sats.optional().describe('Most that this may cost, in sats; the limit of the session when left out.')
const node = hexId.optional().describe('Ask only this node (its public key from list_nodes).')
const level = z.int().min(0).max(3)

const said = {
  request: hexId.describe('Id of the job.'),
  node: hexId,
  model: z.string(),
  costMsats: z.number(),
}

const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string().max(1_000_000),
})

/** `infer`: either a prompt or messages. */
export const inferInput = z.object({
  prompt: z.string().min(1).max(1_000_000).optional().describe('What to answer.'),
  messages: z
    .array(message)
    .min(1)
    .max(1_000)
    .optional()
    .describe('A conversation, oldest first, instead of a prompt.'),
  system: z.string().max(100_000).optional().describe('How the model shall behave.'),
  model,
  max_tokens: z.int().min(1).max(1_000_000).optional().describe('Longest answer, in tokens.'),
  temperature: z.number().min(0).max(2).optional(),
  json_schema: z.record(z.string(), z.unknown()).optional().describe('The answer must be JSON of this schema.'),
  node,
  max_sats: maxSats,
  privacy: level.optional().describe('0 public, 1 sealed to the node, 2 wrapped as well, 3 own hardware only.'),
  wait: z.boolean().optional().describe('False: give the id of the job at once; ask job_status for the answer later.'),
})
export type InferInput = z.infer<typeof inferInput>

export const inferOutput = z.object({
  ...said,
  node: hexId.optional(),
  model: z.string().optional(),
  state: z.enum(['answered', 'running']),
  text: z.string().optional(),
  finish: z.string().optional(),
  promptTokens: z.int().optional(),
  outputTokens: z.int().optional(),
  privacyLevel: level.optional(),
  readers: z.array(z.string()).optional().describe('Who could read it.'),
})

export const embedInput = z.object({
  texts: z.array(z.string().min(1).max(1_000_000)).min(1).max(2_048),
  model,
  dimensions: z.int().min(1).max(65_536).optional(),
  node,
  max_sats: maxSats,
})
export type EmbedInput = z.infer<typeof embedInput>

export const embedOutput = z.object({
  ...said,
  dimensions: z.int(),
  embeddings: z.array(z.array(z.number())),
})

export const nothing = z.object({})

export const modelsOutput = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      work: z.array(z.string()),
      contextTokens: z.int(),
      nodes: z.int(),
      cheapestMsats: z.number().optional().describe('Lowest posted price of one job; absent where it is on request.'),
    }),
  ),
})

export const nodesOutput = z.object({
  nodes: z.array(
    z.object({
      node: hexId,
      name: z.string(),
      alive: z.boolean(),
      models: z.array(z.string()),
      priceMsats: z.number().optional(),
      privacyLevels: z.array(level),
      region: z.string().optional(),
    }),
  ),
})

export const quoteInput = z.object({
  model,
  work: z.enum(['text', 'embeddings', 'rerank', 'classify']).optional().describe('Default: text.'),
  max_tokens: z.int().min(1).max(1_000_000).optional(),
  max_sats: maxSats,
})
export type QuoteInput = z.infer<typeof quoteInput>

export const quoteOutput = z.object({
  offers: z.array(
    z.object({ node: hexId, model: z.string().optional(), msats: z.number(), terms: z.array(z.string()) }),
  ),
})

export const jobInput = z.object({ request: hexId.describe('Id of the job, as infer gave it.') })
export type JobInput = z.infer<typeof jobInput>

export const jobOutput = z.object({
  request: hexId,
  state: z.string(),
  node: z.string().optional(),
  costMsats: z.number(),
  text: z.string().optional(),
  says: z.string().optional(),
})

export const cancelOutput = z.object({ request: hexId, cancelled: z.boolean() })

export const balanceOutput = z.object({
  walletMsats: z.number().optional(),
  sessionSpentMsats: z.number(),
  sessionHeldMsats: z.number(),
  sessionLimitMsats: z.number().optional(),
})

export const verifyInput = z.object({
  event: z.string().min(8).max(512).describe('Event id, note1… or nevent1… of a receipt, score or routing event.'),
})
export type VerifyInput = z.infer<typeof verifyInput>

export const verifyOutput = z.object({
  ok: z.boolean().nullable().describe('null: something could not be checked.'),
  what: z.string(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean().nullable(), says: z.string() })),
})
