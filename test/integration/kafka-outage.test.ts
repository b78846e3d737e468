import { it } from 'vitest'
import { sinkOutage } from '../services/outage.ts'
import { shared } from '../services/shared.ts'

it('bears an outage of its sink in bounded memory, and loses and reorders nothing', async () => {
  await sinkOutage(await shared('kafka'), 30_000, 5)
})
