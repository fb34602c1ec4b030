/**
 * The thread in which a graph runs: its native code blocks whoever calls it. One session, one batch at a time. The only
 * file that knows onnxruntime-node.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Batch } from './batches.ts'
import { type Pooling, pool } from './vectors.ts'

/** What the thread is told when it starts. */
export interface WorkerTask {
  readonly path: string
  /** Threads of the processor, within one operator. */
  readonly threads: number
  readonly pooling: Pooling
  /** The graph ends in a classifier: its output of two axes is one score for each label. */
  readonly classifies: boolean
}

/** One row of `width` numbers for each text. */
export interface Computed {
  readonly what: 'vectors' | 'scores'
  readonly width: number
  readonly data: Float32Array
}

/** What the thread says: once that it is ready, then one answer for each batch. */
export type WorkerWord =
  | { readonly says: 'ready' }
  | { readonly says: 'computed'; readonly id: number; readonly computed: Computed }
  | { readonly says: 'failed'; readonly id?: number; readonly why: string }

const known = ['logits', 'sentence_embedding', 'last_hidden_state', 'token_embeddings']

async function openSession(task: WorkerTask) {
  const ort = await import('onnxruntime-node').catch(error => {
    throw new Error(`onnxruntime-node is not there, install it beside gridstr (${reason(error)})`)
  })
  const session = await ort.InferenceSession.create(task.path, {
    ...{ executionProviders: ['cpu'], graphOptimizationLevel: 'all', logSeverityLevel: 3 },
    ...{ intraOpNumThreads: task.threads, interOpNumThreads: 1, executionMode: 'sequential' },
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  const output = known.find(name => session.outputNames.includes(name)) ?? session.outputNames[0] ?? ''
  const feedOf = (name: string, batch: Batch): BigInt64Array => {
    if (name === 'input_ids') return batch.ids
    if (name === 'attention_mask') return batch.mask
    if (name === 'token_type_ids') return batch.types
    if (name === 'position_ids') return batch.ids.map((_, at) => BigInt(at % batch.columns))
    throw new Error(`the graph asks for ${name.slice(0, 80)}, which is none of input_ids, attention_mask and such`)
  }
  const tensorOf = (input: InferenceSession.ValueMetadata, batch: Batch): Tensor => {
    const numbers = feedOf(input.name, batch)
    const shape = [batch.rows, batch.columns]
    return input.isTensor && input.type === 'int32'
      ? new ort.Tensor('int32', Int32Array.from(numbers, Number), shape)
      : new ort.Tensor('int64', numbers, shape)
  }
  return async (batch: Batch): Promise<Computed> => {
    const feeds = Object.fromEntries(session.inputMetadata.map(input => [input.name, tensorOf(input, batch)]))
    const found = (await session.run(feeds, [output]))[output]
    if (!(found?.data instanceof Float32Array)) throw new Error(`${output} is ${found?.type}, not float32`)
    return computedOf(found.data, found.dims, batch, task, output)
  }
}

function computedOf(
  data: Float32Array,
  dims: readonly number[],
  batch: Batch,
  task: WorkerTask,
  output: string,
): Computed {
  const [rows, second = 0, width = 0] = dims
  const scores = task.classifies || output === 'logits'
  if (rows === batch.rows && dims.length === 2 && second > 0)
    return { what: scores ? 'scores' : 'vectors', width: second, data }
  if (rows === batch.rows && dims.length === 3 && second === batch.columns && !scores) {
    const lengths = Array.from({ length: batch.rows }, (_, row) =>
      batch.mask.subarray(row * batch.columns, (row + 1) * batch.columns).reduce((sum, one) => sum + Number(one), 0),
    )
    return { what: 'vectors', width, data: pool({ data, rows, columns: second, width }, lengths, task.pooling) }
  }
  throw new Error(`${output} has the shape [${dims.join(', ')}], which is neither vectors nor scores of texts`)
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2_000)

if (parentPort !== null) {
  const port = parentPort
  const tell = (word: WorkerWord): void => port.postMessage(word)
  try {
    const compute = await openSession(workerData as WorkerTask)
    port.on('message', async ({ id, batch }: { id: number; batch: Batch }) => {
      try {
        tell({ says: 'computed', id, computed: await compute(batch) })
      } catch (error) {
        tell({ says: 'failed', id, why: reason(error) })
      }
    })
    tell({ says: 'ready' })
  } catch (error) {
    tell({ says: 'failed', why: reason(error) })
  }
}
