/**
 * Token buckets by name, at most so many of them: whoever was quiet longest is forgotten first and starts full again.
 * @module
 */
import { lru } from '../bounded.ts'

export interface Buckets {
  /** Is a token left? Changes nothing. */
  has(name: string): boolean
  /** Takes one token if there is one. */
  take(name: string): void
}

/** Buckets that fill at `perMinute` up to `burst` tokens. */
export function openBuckets(perMinute: number, burst: number, max: number, nowMs: () => number): Buckets {
  const buckets = lru<string, { tokens: number; atMs: number }>(max)
  const tokens = (name: string): number => {
    const bucket = buckets.get(name)
    if (!bucket) return burst
    // A clock set back must not take tokens away.
    return Math.min(burst, bucket.tokens + (Math.max(0, nowMs() - bucket.atMs) * perMinute) / 60_000)
  }
  return {
    has: name => tokens(name) >= 1,
    take(name) {
      const left = tokens(name)
      if (left >= 1) buckets.set(name, { tokens: left - 1, atMs: nowMs() })
    },
  }
}
