import { defineConfig } from 'vitest/config'

/** `unit` needs nothing but this folder; `integration` talks to real servers that its global set-up brings up. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/soak/**'],
          globalSetup: ['test/build.setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/build.setup.ts', 'test/integration/services.setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      // Long chaos, by `npm run soak` alone.
      {
        test: {
          name: 'soak',
          include: process.env.SOAK_MINUTES === undefined ? [] : ['test/soak/**/*.test.ts'],
          globalSetup: ['test/build.setup.ts'],
          fileParallelism: false,
        },
      },
    ],
  },
})
