import type { PageInChromium } from './page-in-chromium.ts'

/** Every view of the page, by name, and where it is. */
export const VIEWS: Readonly<Record<string, (chromium: PageInChromium) => string | Promise<string>>> = {
  overview: () => '/',
  scores: () => '/pipelines/flights?range=6h&live=0',
  episodes: () => '/pipelines/flights?view=episodes',
  drift: () => '/pipelines/flights?view=drift',
  calibration: () => '/pipelines/flights?view=calibration',
  record: async (chromium) => `/pipelines/flights/records/${await chromium.flagged()}`,
  models: () => '/models',
  model: () => '/models/flights',
  jobs: () => '/jobs',
  job: async ({ server }) => `/jobs/${(await server.queue.jobs({ pipeline: 'flights' }))[0].id}`,
}

/** Views where something is missing. */
export const BARE_VIEWS: typeof VIEWS = {
  'a pipeline without scores': () => '/pipelines/sensors',
  'a record that is not there': () => '/pipelines/flights/records/none-1',
}
