import { expect, it } from 'vitest'
import { SliceSize } from '../../../connectors/kafka/slice-size.ts'

it('shrinks to what fits the target, grows back slowly, and stays within its bounds', () => {
  const size = new SliceSize(50, 4096)
  expect(size.records).toBe(1024)
  size.observe(1024, 500)
  expect(size.records).toBe(102)
  for (let i = 0; i < 20; i++) size.observe(size.records, 5000)
  expect(size.records).toBe(64)
  size.observe(10, 1)
  expect(size.records).toBe(64)
  for (let i = 0; i < 30; i++) size.observe(size.records, 1)
  expect(size.records).toBe(4096)
})
