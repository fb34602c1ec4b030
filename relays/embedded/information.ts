/**
 * NIP-11: what the relay says about itself over plain HTTP GET on its own port. Nothing else is answered there.
 * @module
 */
import { createServer, type Server } from 'node:http'
import type { Limits } from './limits.ts'

/** NIPs that the embedded relay keeps, each held by rows of the conformance suite. */
export const SUPPORTED_NIPS = [1, 9, 11, 40, 42, 45, 70]

/** Room that the other fields of an event without tags take. */
const ENVELOPE_BYTES = 512

/** The relay information document. `limitation` holds exactly what is enforced. */
export function information(name: string, limits: Limits, authToRead: readonly number[]): string {
  return JSON.stringify({
    name,
    description: 'A relay of gridstr, a market for AI work.',
    supported_nips: SUPPORTED_NIPS,
    software: 'gridstr',
    limitation: {
      max_message_length: limits.messageBytes,
      max_subscriptions: limits.subscriptions,
      max_subid_length: limits.subscriptionIdChars,
      max_limit: limits.limit,
      default_limit: limits.limit,
      max_event_tags: limits.tags,
      max_content_length: limits.eventBytes - ENVELOPE_BYTES,
      created_at_upper_limit: limits.aheadSeconds,
      min_pow_difficulty: 0,
      auth_required: false,
      payment_required: false,
      restricted_writes: false,
    },
    ...(authToRead.length > 0 ? { auth_to_read: authToRead } : {}),
  })
}

/** HTTP server that answers NIP-11 and refuses all else with 426; upgrades are its owner's. */
export function createInformationServer(document: string): Server {
  return createServer(
    { maxHeaderSize: 8192, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 1_000 },
    (request, response) => {
      request.resume()
      const wanted = request.method === 'GET' && request.headers.accept?.includes('application/nostr+json')
      response.setHeader('Connection', 'close')
      if (wanted) {
        response.writeHead(200, { 'Content-Type': 'application/nostr+json', 'Access-Control-Allow-Origin': '*' })
        response.end(document)
      } else {
        response.writeHead(426, { Upgrade: 'websocket', 'Content-Type': 'text/plain' })
        response.end('This is a Nostr relay: connect with a WebSocket.\n')
      }
    },
  )
}
