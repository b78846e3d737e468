// Learn what is normal from records in memory, then score others.
import { fit } from 'surprisal'

const rides = Array.from({ length: 2000 }, (_, i) => {
  const kilometres = 1 + ((i * 37) % 200) / 10
  return { kilometres, minutes: 3 + 2.5 * kilometres + ((i * 13) % 7), city: i % 3 === 0 ? 'Bern' : 'Basel' }
})

const detector = await fit(rides, { rate: 0.01 })
const scores = await detector.score([
  { kilometres: 10, minutes: 30, city: 'Bern' },
  { kilometres: 10, minutes: 240, city: 'Bern' },
])
for (const { verdict, p_value, attribution } of scores) {
  console.log(verdict, p_value, attribution[0]?.field, attribution[0]?.expected)
}
console.log(await detector.nearestNormal({ kilometres: 10, minutes: 240, city: 'Bern' }))
await detector[Symbol.asyncDispose]()
