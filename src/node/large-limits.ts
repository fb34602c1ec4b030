/**
 * Every bound of inputs that are fetched before a job is looked at. Nothing of it is paid for, so all of it is bounded.
 * @module
 */

export interface LargeLimits {
  /** Bytes of all that the inputs of one job point to. */
  readonly bytesPerJob: number
  /** Jobs whose payloads are fetched at once. More are refused as `busy`. */
  readonly fetches: number
  /** Bytes of all payloads that are being fetched. */
  readonly bytesInFlight: number
  /** The most that the payloads of one job may take, and the longest wait for the next chunk. */
  readonly timeMs: number
  readonly stallMs: number
  /** Inputs of one job that point to other jobs and events. */
  readonly references: number
  /** Jobs that wait for what others answer. */
  readonly waiting: number
  /** How long each of them waits for one answer. */
  readonly answerMs: number
  /** Bytes of all that was fetched for jobs that have not ended. */
  readonly bytesHeld: number
  /** Seconds for which relays are asked to keep the chunks of an answer. */
  readonly answerSeconds: number
}

export const LARGE_LIMITS: LargeLimits = {
  bytesPerJob: 16 * 1024 * 1024,
  fetches: 8,
  bytesInFlight: 64 * 1024 * 1024,
  timeMs: 300_000,
  stallMs: 30_000,
  references: 8,
  waiting: 16,
  answerMs: 30_000,
  bytesHeld: 256 * 1024 * 1024,
  answerSeconds: 86_400,
}
