/**
 * What this client's books say against the caps, at one moment.
 * @module
 */
import type { Order, Orders } from '../journal/journal.ts'
import type { Spent } from '../payments/guard.ts'

const hour = 3_600
const day = 86_400

/** `ofJob`: every order of the job. The cap of a job is on its price: fees of routing come on top. `now` is unix seconds. */
export const spentBy = (orders: Orders, ofJob: readonly Order[], peer: string, now: number): Spent => ({
  jobMsats: ofJob.reduce((sum, one) => (one.state === 'failed' ? sum : sum + one.msats), 0n),
  hourMsats: orders.spentMsats({ since: now - hour }),
  dayMsats: orders.spentMsats({ since: now - day }),
  peerDayMsats: orders.spentMsats({ since: now - day, peer }),
})
