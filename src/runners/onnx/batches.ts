/**
 * Texts of about one length go through the graph together, padded to the longest of them.
 * @module
 */
import type { Tokens } from './tokenizer.ts'

/** Numbers for the graph, row by row. */
export interface Batch {
  readonly rows: number
  readonly columns: number
  readonly ids: BigInt64Array
  readonly mask: BigInt64Array
  readonly types: BigInt64Array
}

/** A batch, and which of the texts its rows are. */
export interface Planned {
  readonly batch: Batch
  readonly places: readonly number[]
}

/** Batches of at most `mostRows` rows and `mostCells` tokens, padding included; a longer text goes alone. The longest first. */
export function planBatches(
  texts: readonly Tokens[],
  padId: number,
  { mostRows, mostCells }: { readonly mostRows: number; readonly mostCells: number },
): Planned[] {
  const lengthAt = (place: number): number => texts[place]?.ids.length ?? 0
  const places = [...texts.keys()].sort((a, b) => lengthAt(b) - lengthAt(a) || a - b)
  const groups: number[][] = []
  for (const place of places) {
    const group = groups.at(-1)
    const fits = group && group.length < mostRows && (group.length + 1) * lengthAt(group[0] ?? 0) <= mostCells
    if (fits) group.push(place)
    else groups.push([place])
  }
  return groups.map(group => ({
    places: group,
    batch: batchOf(
      group.flatMap(place => texts[place] ?? []),
      padId,
    ),
  }))
}

/** One batch of these texts, padded to the longest. */
export function batchOf(texts: readonly Tokens[], padId: number): Batch {
  const [rows, columns] = [texts.length, Math.max(0, ...texts.map(({ ids }) => ids.length))]
  const ids = new BigInt64Array(rows * columns).fill(BigInt(padId))
  const [mask, types] = [new BigInt64Array(rows * columns), new BigInt64Array(rows * columns)]
  for (const [row, text] of texts.entries())
    for (const [at, id] of text.ids.entries()) {
      ids[row * columns + at] = BigInt(id)
      mask[row * columns + at] = 1n
      types[row * columns + at] = BigInt(text.types[at] ?? 0)
    }
  return { rows, columns, ids, mask, types }
}
