/**
 * The public entry `gridstr/openai`: a `fetch` for programs that speak OpenAI's interface, without a server.
 * @module
 */
export { createFetch, type DoorOptions, type FetchOptions, type GridstrFetch } from './fetch.ts'
