// Keep a model in a file, load it elsewhere at another rate, and see what it was made of.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fit, load } from 'surprisal'

const payments = Array.from({ length: 2000 }, (_, i) => ({
  amount: Math.round(100 * (5 + ((i * 71) % 997) / 10)) / 100,
  currency: 'EUR',
}))
const folder = await mkdtemp(join(tmpdir(), 'surprisal-'))
const path = join(folder, 'payments.safetensors')

const fitted = await fit(payments, { seed: 7 })
await writeFile(path, fitted.artifact)
await fitted[Symbol.asyncDispose]()

const detector = await load(path, { rate: 0.01, redact: ['amount'] })
console.log(
  detector.manifest.lineage.used,
  detector.manifest.fields.map(({ field, kind }) => `${field}: ${kind}`),
)
const [score] = await detector.score([{ amount: 12.5, currency: 'USD' }])
console.log(score.verdict, score.reasons)
await detector[Symbol.asyncDispose]()
await rm(folder, { recursive: true })
