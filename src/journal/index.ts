/**
 * The journals: in an SQLite file, and in memory for what may end with the process. A browser imports `memory.ts` alone.
 * @module
 */
export * from './journal.ts'
export { memoryJournal } from './memory.ts'
export { type JournalOptions, openJournal } from './sqlite.ts'
