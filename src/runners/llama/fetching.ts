/**
 * Fetching weights by Hugging Face URI or URL, with a kept part where a fetch was broken off.
 * @module
 */
import { RunnerError } from '../runner.ts'
import { loadBinding, messageOf } from './binding.ts'
import { untilAborted } from './until-aborted.ts'

export interface FetchOptions {
  readonly directory: string
  readonly fileName?: string
  /** Another Hugging Face hub, as `MODEL_ENDPOINT` and `HF_ENDPOINT` name one. */
  readonly endpoint?: string
  /** Token for gated models, as `HF_TOKEN`. */
  readonly token?: string
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Fetches weights by `hf:` URI or URL unless they are there, and returns their path. What an aborted fetch has got
 * stays on disk and the next one goes on from it. Throws `RunnerError` that names the way out.
 */
export async function fetchWeights(uri: string, options: FetchOptions, signal: AbortSignal): Promise<string> {
  const { directory, fileName, endpoint, token, onProgress } = options
  const { resolveModelFile } = await loadBinding()
  const where = {
    directory,
    cli: false,
    ...(fileName !== undefined && { fileName }),
    ...(endpoint !== undefined && { endpoints: { huggingFace: endpoint } }),
  }
  const kept = await resolveModelFile(uri, { ...where, download: false }).catch(() => undefined)
  if (kept !== undefined) return kept
  try {
    await requireAnswer(uri.startsWith('http') ? uri : (endpoint ?? 'https://huggingface.co/'), signal)
    const fetching = resolveModelFile(uri, {
      ...where,
      deleteTempFileOnCancel: false,
      signal,
      ...(token !== undefined && { tokens: { huggingFace: token } }),
      ...(onProgress && { onProgress: ({ downloadedSize, totalSize }) => onProgress(downloadedSize, totalSize) }),
    })
    const path = await untilAborted(fetching, signal)
    signal.throwIfAborted()
    return path
  } catch (error) {
    signal.throwIfAborted()
    const says = `cannot fetch ${uri}: ${messageOf(error)}`
    const way = 'Check the name and the connection, set HF_TOKEN for a gated model, or fetch the file and give its path'
    throw new RunnerError(`${says}. ${way}`, { cause: error })
  }
}

/** One try, because the downloader itself repeats silently for minutes when nobody answers. */
async function requireAnswer(url: string, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(20_000)])
  const response = await fetch(url, { method: 'HEAD', signal: patience }).catch(error => {
    throw new Error(`${new URL(url).host} does not answer`, { cause: error })
  })
  if (response.status >= 500) throw new Error(`${new URL(url).host} answers ${response.status}, try later`)
}
