/**
 * The list of this room.
 * @module
 */
export { buildServer, type McpOptions, serveMcp, type Verified } from './server.ts'
