/**
 * `npm run conformance [-- ws://…]`: the conformance table of the embedded relay (or of the one that is named) and the outage
 * table of the relay drivers. Exit status 1 when a row does not hold.
 * @module
 */
import { printConformance } from './tables/conformance.ts'
import { printOutages } from './tables/outages.ts'

const url = process.argv[2]
const held = [await printConformance(url)]
if (url === undefined) held.push(await printOutages())
process.exitCode = held.every(Boolean) ? 0 : 1
