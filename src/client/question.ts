/**
 * What a customer may ask, and what came of it.
 * @module
 */
import type {
  Announcement,
  AnyRequest,
  Event,
  Finish,
  Input,
  JobKind,
  Message,
  Privacy,
  WishedTerms,
} from '../../kinds/index.ts'
import { deltasOutput, jobKind, messagesInput, present, textInput, textRequest } from '../../kinds/index.ts'
import type { ClientJob } from '../job.ts'
import type { AskEvent } from './events.ts'
import type { PrivacyReport } from './privacy-report.ts'
import type { SplitOutcome } from './splits.ts'

/** Words about the work itself: each kind of work says those that concern it. */
const wishNames = [
  ...(['model', 'maxTokens', 'temperature', 'topP', 'topK', 'frequencyPenalty', 'presencePenalty', 'seed'] as const),
  ...(['stop', 'tools', 'toolChoice', 'parallelToolCalls', 'responseFormat', 'logprobs', 'output', 'partial'] as const),
  ...(['topN', 'labels', 'dimensions', 'encoding'] as const),
] as const satisfies readonly (keyof AnyRequest)[]

type Wishes = Partial<Pick<AnyRequest, (typeof wishNames)[number]>>

export interface Question extends Wishes {
  /** Number of the kind of job. Default: text generation. */
  readonly kind?: number
  readonly text?: string
  readonly messages?: readonly Message[]
  /**
   * What to work on beside, and before, text and messages: other kinds of work, and what lies elsewhere (`job`, `event`,
   * `url`). Of a `job` of this client its own text is brought, once it has an answer; of another's the node fetches what is
   * readable to it.
   */
  readonly inputs?: readonly Input[]
  /** The chosen node and, where it is known, what it announced. Absent: open to everybody, and readable by everybody. */
  readonly node?: { readonly pubkey: string; readonly announcement?: Announcement }
  /**
   * 0: readable by all. 1: sealed to the node (the default where one is chosen). 2: in wraps both ways, and nothing is
   * published beside them. 3: that, and only nodes of `own`. A node that does not keep it is refused with `privacy`.
   */
  readonly privacy?: Privacy
  /** Keys of the customer's own nodes. */
  readonly own?: readonly string[]
  /** Most that the answer may cost, routing fees aside. */
  readonly capMsats: bigint
  /** How it is to be paid; a node that cannot bills before the work. */
  readonly terms?: WishedTerms
  /** Seconds after which nobody waits any more. Default 600. */
  readonly ttlSeconds?: number
  /** The answer's beginning, bought from another node: only the rest is asked for. */
  readonly begun?: string
  /** Routing event and quote that this job rests on: readable by everybody, also on a sealed job. */
  readonly routing?: string
  readonly quote?: string
  /** Largest answer that is taken, in bytes. Default 16 MiB. */
  readonly mostBytes?: number
  /** Show the answer while it is written. Default true; false saves the frames' signatures. */
  readonly stream?: boolean
  /**
   * Fires when nobody can wait for the wallet any longer: a job whose payment is in doubt then resolves as
   * `payment-unknown` with the payment hash to ask about. Without it the job waits until the wallet knows.
   */
  readonly giveUp?: AbortSignal
  onEvent?(event: AskEvent): void
}

/** How a question ended. `code` and `says` tell why there is no answer; money that left is told in either case. */
export interface Outcome {
  readonly ok: boolean
  readonly job: ClientJob
  readonly text?: string
  /** Why the answer ends, where the node says it. */
  readonly finish?: Finish
  readonly request: Event
  readonly result?: Event
  readonly feedback: readonly Event[]
  readonly receipt?: Event
  readonly usage?: { readonly promptTokens: number; readonly outputTokens: number }
  /** All that was paid, shares of others included. */
  readonly msats: bigint
  /** Of that, what bought nothing: the node keeps it for the customer, until it is claimed back. */
  readonly creditMsats?: bigint
  /** What those who share in the price got. Absent where nobody does. */
  readonly splits?: readonly SplitOutcome[]
  readonly preimage?: string
  readonly code?: string
  readonly says?: string
  readonly ms: number
  readonly firstTextMs?: number
  /** Who could read it, as it happened. */
  readonly privacy: PrivacyReport
}

/** The kind of work that is asked for. Throws where it is none that this program knows. */
export function kindOf({ kind = textRequest.number }: Pick<Question, 'kind'>): JobKind {
  const known = jobKind(kind)
  if (known) return known
  throw new TypeError(`Kind ${kind} is no kind of job that can be asked for here: see jobKinds.`)
}

/** True where the answer is one JSON delta a line and not bare text. */
export const wantsDeltas = ({ tools, logprobs, output }: Wishes): boolean =>
  output === undefined ? (tools?.length ?? 0) > 0 || logprobs !== undefined : output === deltasOutput

/** What the request says of the work. Throws `TypeError` where there is nothing to work on. */
export function worksOn(question: Question): Pick<AnyRequest, 'inputs'> & Wishes {
  const said = wishNames.filter(name => !isNothing(question[name]))
  const wishes = Object.fromEntries(said.map(name => [name, question[name]])) as Wishes
  // Calls and probabilities have no place in bare text.
  const output = wantsDeltas(question) ? deltasOutput : question.output
  return { inputs: inputsOf(question), ...present({ ...wishes, output }) }
}

/** Programs say an empty list where they mean none. */
const isNothing = (said: unknown): boolean => said === undefined || (Array.isArray(said) && said.length === 0)

function inputsOf({ text, messages, inputs = [], begun }: Question): Input[] {
  const turns = messages?.length ? messages : text === undefined ? [] : [{ role: 'user' as const, content: text }]
  if (begun) return [...inputs, messagesInput([...turns, { role: 'assistant', content: begun }])]
  if (messages?.length) return [...inputs, messagesInput(messages)]
  if (text !== undefined) return [...inputs, textInput(text)]
  if (inputs.length === 0) throw new TypeError('A question needs a text, messages or inputs.')
  return [...inputs]
}
