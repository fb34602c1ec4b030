/** A relay on a real socket, nodes that sell on it, and a customer's wallet behind a connection string: for suites of commands. */
import { afterAll, beforeAll } from 'vitest'
import { shareWallet } from '../src/cli/wiring.ts'
import { type Grid, type GridNodeOptions, openGrid } from './client-grid.ts'
import { openStage, type Stage } from './stage.ts'

export interface PaidStage {
  readonly stage: Stage
  readonly grid: Grid
  /** The connection string: whoever holds it can spend. */
  readonly uri: string
}

/** Opens it before the tests of a suite and closes it after them; what it gives may be looked at in tests only. */
export function paidStage(nodes: readonly GridNodeOptions[]): () => PaidStage {
  let opened: PaidStage | undefined
  let stopWallet = async () => {}
  beforeAll(async () => {
    const stage = await openStage()
    const grid = await openGrid(stage, { nodes })
    const { uri, close } = await shareWallet(grid.payer, stage.connect(), stage.keys, stage.clock)
    stopWallet = close
    opened = { stage, grid, uri }
  })
  afterAll(async () => {
    await stopWallet()
    await opened?.grid.close()
  })
  return () => {
    if (!opened) throw new Error('the stage opens before the first test')
    return opened
  }
}
