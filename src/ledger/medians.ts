/**
 * The median of a changing crowd of speeds, exact enough (3 %) and the same for everybody who saw the same changes.
 * @module
 */

const perOctave = 16

/** Which of 16 steps of its octave a whole number of microseconds falls in. */
const bucketOf = (us: number): number => {
  const octave = 31 - Math.clz32(us)
  return octave * perOctave + (octave >= 4 ? (us >>> (octave - 4)) & 15 : (us << (4 - octave)) & 15)
}

/** Middle of a bucket in milliseconds. */
const middleOf = (bucket: number): number => {
  const octave = Math.floor(bucket / perOctave)
  return (2 ** octave * (1 + ((bucket % perOctave) + 0.5) / perOctave)) / 1000
}

export interface Median {
  /** One member changes from one speed to another, whole microseconds below 2^30; 0 is unknown. */
  change(before: number, after: number): void
  /** Milliseconds, 0 while nothing is known. */
  readonly ms: number
}

/** The median of nobody. */
export function openMedian(): Median {
  // Covers the octaves that were met, for there may be as many markets as models have names.
  let counts = new Uint32Array(0)
  let low = 0
  let known = 0
  let fresh = true
  let ms = 0
  // Where the median was last, and how many are below that place: it seldom moves far.
  let at = 0
  let below = 0
  const cover = (octave: number) => {
    if (octave >= low && octave < low + counts.length) return
    const start = counts.length > 0 ? Math.min(low, octave) : octave
    const wider = new Uint32Array(Math.max(low + counts.length, octave + perOctave) - start)
    const shift = counts.length > 0 ? low - start : 0
    wider.set(counts, shift)
    counts = wider
    low = start
    at += shift
  }
  const add = (us: number, by: number) => {
    cover(Math.floor(bucketOf(us) / perOctave) * perOctave)
    const bucket = bucketOf(us) - low
    counts[bucket] = (counts[bucket] ?? 0) + by
    known += by
    if (bucket < at) below += by
    fresh = false
  }
  const find = (): number => {
    const half = Math.ceil(known / 2)
    while (at > 0 && below >= half) below -= counts[--at] ?? 0
    while (at < counts.length - 1 && below + (counts[at] ?? 0) < half) below += counts[at++] ?? 0
    return middleOf(low + at)
  }
  return {
    change(before, after) {
      if (before === after) return
      if (before > 0) add(before, -1)
      if (after > 0) add(after, 1)
    },
    get ms() {
      if (!fresh) {
        ms = known > 0 ? find() : 0
        fresh = true
      }
      return ms
    },
  }
}
