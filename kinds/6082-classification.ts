/**
 * Kind 6082: the labels that a 5082 asked for.
 * @module
 */
import { parseJson } from './json.ts'
import { defineResult } from './results.ts'
import { listOf, number, record, type Shape, string } from './shapes.ts'
import { MOST_TEXTS } from './texts.ts'

/** How well a label fits, from 0 to 1. */
export interface Scored {
  readonly label: string
  readonly score: number
}

/** For each text its labels, best first. */
export interface Classes {
  readonly model: string
  readonly results: readonly (readonly Scored[])[]
}

/** Classification result (own kind 6082). */
export const classificationResult = defineResult({
  number: 6082,
  name: 'classification result',
  says: 'For each text, in their order, how well each label fits.',
  source: 'NIP-90; gridstr',
  content:
    'JSON: `{"model", "results": [[{"label", "score"}, …], …]}`: for each text its labels, each once, best first; their scores are from 0 to 1 and sum to 1 within a thousandth.',
  samples: [
    [
      'Two texts, two labels.',
      '{"model":"tiny","results":[[{"label":"glad","score":0.75},{"label":"sad","score":0.25}],[{"label":"sad","score":1},{"label":"glad","score":0}]]}',
    ],
  ],
})

const scored: Shape<Scored[]> = listOf(record({ label: string(256, 1), score: number(0, 1) }, {}), 1_024)
const classes = record({ model: string(256), results: listOf(scored, MOST_TEXTS) }, {})

const isScored = (labels: readonly Scored[]): boolean =>
  new Set(labels.map(({ label }) => label)).size === labels.length &&
  labels.every(({ score }, at) => score <= (labels[at - 1]?.score ?? score)) &&
  Math.abs(labels.reduce((sum, { score }) => sum + score, 0) - 1) <= 0.001

/** Reads the text of a 6082; `undefined` for labels that are not best first, come twice or do not sum to 1. */
export function readClasses(text: string): Classes | undefined {
  const said = classes(parseJson(text, { chars: 16_777_216, depth: 5, nodes: 2_097_152 }))
  return said?.results.every(isScored) ? said : undefined
}

/** The text of a 6082. Throws a `TypeError` for what its reader would refuse. */
export function writeClasses({ model, results }: Classes): string {
  const text = JSON.stringify({
    model,
    results: results.map(labels => labels.map(({ label, score }) => ({ label, score }))),
  })
  if (!readClasses(text)) throw new TypeError('classes: best first, each label once, scores that sum to 1.')
  return text
}
