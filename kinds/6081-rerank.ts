/**
 * Kind 6081: the ranking that a 5081 asked for.
 * @module
 */
import { parseJson } from './json.ts'
import { defineResult } from './results.ts'
import { listOf, number, record, string, whole } from './shapes.ts'
import { MOST_TEXTS } from './texts.ts'

/** A text by its place among the inputs, from 0, and how well it answers. */
export interface Ranked {
  readonly index: number
  readonly score: number
}

/** Best first, each text once at most. */
export interface Ranking {
  readonly model: string
  readonly results: readonly Ranked[]
}

/** Rerank result (own kind 6081). */
export const rerankResult = defineResult({
  number: 6081,
  name: 'rerank result',
  says: 'How well each text answers the query, the best first.',
  source: 'NIP-90; gridstr',
  content:
    'JSON: `{"model", "results": [{"index", "score"}, …]}`, best first. `index` is the place of the text among those of the request, from 0, each once at most; scores compare within one answer only.',
  samples: [
    [
      'The second text is the better one.',
      '{"model":"tiny","results":[{"index":1,"score":0.9},{"index":0,"score":0.1}]}',
    ],
  ],
})

const ranking = record(
  {
    model: string(256),
    results: listOf(
      record({ index: whole(0, MOST_TEXTS - 1), score: number(-Number.MAX_VALUE, Number.MAX_VALUE) }, {}),
      MOST_TEXTS,
    ),
  },
  {},
)

const isRanked = (results: readonly Ranked[], texts: number): boolean =>
  new Set(results.map(({ index }) => index)).size === results.length &&
  results.every(({ index, score }, at) => index < texts && score <= (results[at - 1]?.score ?? score))

/** Reads the text of a 6081 about so many texts; `undefined` for what is not best first, or names a text that is not there or twice. */
export function readRanking(text: string, texts = MOST_TEXTS): Ranking | undefined {
  const said = ranking(parseJson(text, { chars: 524_288, depth: 4, nodes: 16_384 }))
  return said && isRanked(said.results, texts) ? said : undefined
}

/** The text of a 6081. Throws a `TypeError` for what its reader would refuse. */
export function writeRanking({ model, results }: Ranking): string {
  const text = JSON.stringify({ model, results: results.map(({ index, score }) => ({ index, score })) })
  if (!readRanking(text)) throw new TypeError('ranking: best first, finite scores, each text once.')
  return text
}
