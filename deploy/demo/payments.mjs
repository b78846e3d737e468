// Sends payments to Kafka for the demo of docker-compose.yml: about 200 a second, one in 400 of them faulty.
import { Kafka, logLevel, Partitioners } from 'kafkajs'

const SECOND = 200
const COUNTRIES = ['DE', 'FR', 'ES', 'IT', 'NL']
const pick = (values) => values[Math.floor(Math.random() * values.length)]
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
let sent = 0

/** What can go wrong with a payment: fields that are each plausible, and together are not. */
const FAULTS = [
  (payment) => ({ ...payment, amount: payment.amount * 60 }),
  (payment) => ({ ...payment, currency: 'USD' }),
  (payment) => ({ ...payment, items: 1, amount: 900 + 50 * normal() }),
  (payment) => ({ ...payment, account_age_days: 0, amount: payment.amount * 8 }),
  (payment) => ({ ...payment, latency_ms: payment.latency_ms * 25 }),
]

function payment() {
  const items = 1 + Math.floor(-2 * Math.log(1 - Math.random()))
  const made = {
    payment_id: `p${Date.now()}-${sent++}`,
    created_at: new Date().toISOString(),
    account: `a${Math.floor(Math.random() * 5000)}`,
    country: pick(COUNTRIES),
    currency: 'EUR',
    items,
    amount: Math.round(100 * items * Math.exp(2.6 + 0.4 * normal())) / 100,
    account_age_days: Math.floor(-400 * Math.log(1 - Math.random())),
    latency_ms: Math.round(40 * Math.exp(0.3 * normal())),
  }
  return Math.random() < 1 / 400 ? pick(FAULTS)(made) : made
}

const kafka = new Kafka({ brokers: [process.env.KAFKA ?? 'localhost:9092'], logLevel: logLevel.WARN })
const producer = kafka.producer({ idempotent: true, createPartitioner: Partitioners.DefaultPartitioner })
await producer.connect()
const timer = setInterval(async () => {
  const messages = Array.from({ length: SECOND }, payment).map((made) => ({
    key: made.account,
    value: JSON.stringify(made),
  }))
  try {
    await producer.send({ topic: 'payments', messages })
  } catch (error) {
    console.error(`payments were not sent: ${error.message}`)
  }
}, 1000)
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, async () => {
    clearInterval(timer)
    await producer.disconnect()
  })
}
