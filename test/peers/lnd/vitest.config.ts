/** The tests that need two lnd: run by `run.ts`, which brings them up; the house's own config does not collect them. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../../..`,
    include: ['test/peers/lnd/*.peer.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
