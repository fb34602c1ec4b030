import { paymentSuite } from '../../suites/payments.ts'
import { directWorld } from './stage.ts'

paymentSuite('lnd, direct', directWorld)
