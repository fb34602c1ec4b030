/** Two forks: native libraries stay out of worker threads, and the machine that this is written for has two cores. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: [process.env['CI'] ? 'dot' : 'default', './test/reporter.ts'],
  },
})
