/** The drivers that keep every promise. */
import { embeddedCast, memoryCast, poolCast } from './relays-casts.ts'
import { relaySuite } from './suites/relays.ts'

relaySuite('memory', memoryCast())
relaySuite('pool', poolCast)
relaySuite('pool over the embedded relay', embeddedCast)
