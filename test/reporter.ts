/**
 * Ends a run with one plain line that counts the tests, for people in a hurry and for machines.
 * @module
 */
import type { Reporter, TestModule } from 'vitest/node'

export default class LastLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    let broken = errors.length
    for (const module of modules) {
      // A file that cannot be loaded has no tests to count, and is still a failure.
      if (module.errors().length > 0) broken++
      for (const test of module.children.allTests()) counts[test.result().state]++
    }
    // After everything that other reporters print at the end of a run.
    process.once('exit', () => {
      process.stdout.write(
        `tests: ${counts.passed} passed, ${counts.failed + broken} failed, ${counts.skipped} skipped\n`,
      )
    })
  }
}
