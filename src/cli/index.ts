/**
 * The list of this room: one line per command.
 * @module
 */
import type { Command } from './command.ts'
import { askCommand } from './commands/ask.ts'
import { batchCommand } from './commands/batch.ts'
import { bondCommand } from './commands/bond.ts'
import { chatCommand } from './commands/chat.ts'
import { demoCommand } from './commands/demo.ts'
import { helpCommand } from './commands/help.ts'
import { jobCommand } from './commands/job.ts'
import { jobsCommand } from './commands/jobs.ts'
import { marketCommand } from './commands/market.ts'
import { mcpCommand } from './commands/mcp.ts'
import { nodeCommand } from './commands/node.ts'
import { relayCommand } from './commands/relay.ts'
import { routerCommand } from './commands/router.ts'
import { runProgramCommand } from './commands/run.ts'
import { simCommand } from './commands/sim.ts'
import { trustCommand } from './commands/trust.ts'
import { verifierCommand } from './commands/verifier.ts'
import { verifyCommand } from './commands/verify.ts'
import { walletCommand } from './commands/wallet.ts'

const working: readonly Command[] = [
  demoCommand,
  relayCommand,
  nodeCommand,
  askCommand,
  chatCommand,
  jobsCommand,
  jobCommand,
  batchCommand,
  runProgramCommand,
  mcpCommand,
  marketCommand,
  walletCommand,
  verifierCommand,
  routerCommand,
  verifyCommand,
  trustCommand,
  bondCommand,
  simCommand,
]

export const commands: readonly Command[] = [...working, helpCommand(working)]
