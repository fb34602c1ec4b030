/**
 * What an operator sees of the desk.
 * @module
 */

/** What happened to one request. `asker` and `candidates` are public keys. */
export type DeskEvent =
  | {
      readonly event: 'request'
      readonly request: string
      readonly asker: string
      readonly kind: number
      readonly model?: string
    }
  | {
      readonly event: 'routing'
      readonly id: string
      readonly request: string
      readonly asker: string
      readonly kind: number
      /** Best first. */
      readonly candidates: readonly string[]
      readonly refusal?: { readonly code: string; readonly says: string }
      readonly ms: number
    }
  | {
      readonly event: 'invoice'
      readonly id: string
      readonly request: string
      readonly asker: string
      readonly msats: bigint
    }
  | { readonly event: 'trouble'; readonly request: string; readonly says: string }
