/**
 * Fetches a model from a Hugging Face hub into a folder. The list of files is ours; what came is kept, and what was cut
 * short goes on where it stopped.
 * @module
 */
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RunnerError } from '../runner.ts'
import { graphFiles, isFile, smallFiles } from './folder.ts'

/** A model of a hub: `hf:user/repo`, with `@revision`, with `:variant` for `onnx/model_variant.onnx`. */
export interface HubModel {
  readonly repo: string
  readonly revision: string
  readonly variant?: string
}

export interface HubOptions {
  readonly cacheDir: string
  readonly endpoint?: string
  readonly token?: string
  readonly onProgress?: (done: number, total: number | undefined) => void
}

const name = '[A-Za-z0-9][\\w-]*(?:\\.[\\w-]+)*'
const shape = new RegExp(`^(?:hf|huggingface):(${name}/${name})(?:@(${name}))?(?::(\\w+))?$`)

/** Reads what the operator wrote; `undefined` for what does not begin like it. Throws `RunnerError` for a bad one. */
export function hubModel(uri: string): HubModel | undefined {
  if (!/^(hf|huggingface):/.test(uri)) return undefined
  const [, repo, revision = 'main', variant] = shape.exec(uri) ?? []
  if (repo === undefined) throw new RunnerError(`${uri} names no model: write hf:user/repo or hf:user/repo:variant`)
  return { repo, revision, ...(variant !== undefined && { variant }) }
}

/** The path of the graph, with its small files in the folder above or beside it. Asks nobody once all is there. */
export async function fetchModel(model: HubModel, options: HubOptions, signal: AbortSignal): Promise<string> {
  const { repo, revision, variant } = model
  const folder = join(options.cacheDir, 'onnx', `${repo}@${revision}`.replace('/', '--'))
  const graphs = variant === undefined ? graphFiles : [`onnx/model_${variant}.onnx`]
  const donePath = join(folder, `complete${variant === undefined ? '' : `-${variant}`}`)
  const known = await readFile(donePath, 'utf8').catch(() => '')
  if (graphs.includes(known) && (await isFile(join(folder, known)))) return join(folder, known)

  const base = (options.endpoint ?? 'https://huggingface.co').replace(/\/+$/, '')
  const fetchFile = (file: string): Promise<boolean> =>
    fetchOne(`${base}/${repo}/resolve/${revision}/${file}`, join(folder, file), options, signal)
  for (const file of Object.values(smallFiles))
    if (!(await fetchFile(file)) && file === smallFiles.tokenizer)
      throw new RunnerError(`${repo} has no tokenizer.json at ${base}: correct the name, or take another model`)
  for (const graph of graphs) {
    if (!(await fetchFile(graph))) continue
    await fetchFile(`${graph}_data`)
    await writeFile(donePath, graph)
    return join(folder, graph)
  }
  throw new RunnerError(`${repo} has none of ${graphs.join(', ')}: take a model that was exported to ONNX`)
}

/** False where the hub has no such file. */
async function fetchOne(url: string, path: string, options: HubOptions, signal: AbortSignal): Promise<boolean> {
  if (await isFile(path)) return true
  const part = `${path}.part`
  const tagPath = `${part}.etag`
  const had = await stat(part).then(
    ({ size }) => size,
    () => 0,
  )
  const tag = had > 0 ? await readFile(tagPath, 'utf8').catch(() => '') : ''
  // Without its mark nobody knows whether the rest belongs to the beginning.
  const from = tag === '' ? 0 : had
  const response = await fetch(url, {
    headers: {
      'accept-encoding': 'identity',
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...(from > 0 && { range: `bytes=${from}-`, 'if-range': tag }),
    },
    signal,
  }).catch(error => {
    signal.throwIfAborted()
    throw new RunnerError(`cannot reach ${url}: look at the network, or set MODEL_ENDPOINT`, { cause: error })
  })
  const { status, headers, body } = response
  if (status === 404 || status === 416 || !response.ok || !body) await body?.cancel()
  if (status === 404) return false
  if (status === 416) {
    await rm(part, { force: true })
    await rm(tagPath, { force: true })
    return await fetchOne(url, path, options, signal)
  }
  if (!response.ok || !body) {
    const way = status === 401 || status === 403 ? 'set HF_TOKEN, or accept the terms of the model' : 'try again later'
    throw new RunnerError(`${url} answered ${status}: ${way}`)
  }
  await mkdir(dirname(path), { recursive: true })
  const begin = status === 206 ? from : 0
  const length = headers.get('content-length')
  const total = length === null ? undefined : begin + Number(length)
  await writeFile(tagPath, headers.get('etag') ?? '')
  let done = begin
  const file = await open(part, begin > 0 ? 'a' : 'w')
  try {
    for await (const chunk of body) {
      await file.appendFile(chunk)
      done += chunk.length
      options.onProgress?.(done, total)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw new RunnerError(`${url} broke off after ${done} bytes: start again, it goes on from there`, { cause: error })
  } finally {
    await file.close()
  }
  await rename(part, path)
  await rm(tagPath, { force: true })
  return true
}
