import { paymentSuite } from '../../suites/payments.ts'
import { nwcWorld } from './stage.ts'

paymentSuite('lnd, NIP-47', nwcWorld)
