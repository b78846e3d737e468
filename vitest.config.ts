import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { SideBySide } from './test/side-by-side.sequencer.ts'

const COMMON = {
  testTimeout: 240_000,
  hookTimeout: 240_000,
  // A machine with more to do than cores is slow, not wrong.
  expect: { poll: { timeout: 60_000 } },
  maxWorkers: availableParallelism() + 1,
}

/**
 * `unit` needs nothing but this folder; `integration` talks to real servers that its global set-up brings up, `webgpu`
 * to a GPU or to one in software.
 */
export default defineConfig({
  test: {
    globalSetup: ['test/build.setup.ts'],
    sequence: { sequencer: SideBySide },
    projects: [
      {
        test: {
          ...COMMON,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/webgpu/**', 'test/soak/**'],
        },
      },
      {
        test: {
          ...COMMON,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/services.setup.ts'],
        },
      },
      {
        test: {
          ...COMMON,
          name: 'webgpu',
          include: ['test/webgpu/**/*.test.ts'],
          globalSetup: ['test/webgpu/vulkan.setup.ts'],
        },
      },
      // Long chaos, by `npm run soak` alone.
      {
        test: {
          name: 'soak',
          include: process.env.SOAK_MINUTES === undefined ? [] : ['test/soak/**/*.test.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
