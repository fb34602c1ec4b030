/**
 * Waiting that ends when the signal fires, for work that itself ends in its own time.
 * @module
 */

/** The value of `wait`, or at once the reason of the signal. What was waited for goes on and is no longer heard. */
export async function untilAborted<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
  })
}
