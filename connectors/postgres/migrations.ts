import type { PoolClient } from 'pg'
import { SurprisalError } from '../../src/core/errors.ts'

/**
 * The steps from an empty schema to the present one; step i brings version i to i + 1. Released steps never change.
 * `rollups` is append-only between compactions: rows of one bucket add up, `settled` marks a sum.
 */
const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE scores (
  pipeline text NOT NULL, run_id text, prefix text COLLATE "C" NOT NULL, "offset" bigint NOT NULL,
  topic text, partition integer, model_version integer NOT NULL,
  time timestamptz NOT NULL, event_time_ms bigint, scored_at timestamptz NOT NULL, entity text,
  log_prob double precision, score double precision, p_value double precision, p_method text,
  verdict text NOT NULL, severity text, threshold double precision NOT NULL, reasons json, attribution json
) PARTITION BY RANGE (time);
CREATE INDEX scores_by_offset ON scores ("offset");
CREATE INDEX scores_by_time ON scores (pipeline, time DESC);
CREATE INDEX scores_flagged ON scores (pipeline, time DESC) WHERE verdict <> 'normal';
CREATE INDEX scores_ranked ON scores (pipeline, coalesce(score, -1) DESC) WHERE verdict = 'anomaly';
CREATE TABLE scores_rest PARTITION OF scores DEFAULT;
CREATE TABLE rollups (
  pipeline text NOT NULL, width bigint NOT NULL, start bigint NOT NULL,
  records bigint NOT NULL, anomalies bigint NOT NULL, unscored bigint NOT NULL, score_max double precision,
  bins integer[] NOT NULL, counts bigint[] NOT NULL, settled boolean NOT NULL);
CREATE INDEX rollups_by_start ON rollups (pipeline, width, start);
CREATE INDEX rollups_unsettled ON rollups (pipeline, width, start) WHERE NOT settled;
CREATE TABLE stored_offsets (
  pipeline text NOT NULL, run_id text NOT NULL, prefix text COLLATE "C" NOT NULL,
  first bigint NOT NULL, next bigint NOT NULL, touched_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (pipeline, run_id, prefix, first));
CREATE TABLE labels (
  pipeline text NOT NULL, id text NOT NULL, label text NOT NULL, who text NOT NULL, "at" text NOT NULL, note text,
  PRIMARY KEY (pipeline, id));`,
  'ALTER TABLE scores ADD COLUMN suppressed text',
  `
CREATE TABLE notices (
  pipeline text NOT NULL, kind text NOT NULL, id text COLLATE "C" NOT NULL, "at" bigint NOT NULL,
  heard_at bigint NOT NULL, body text NOT NULL, PRIMARY KEY (pipeline, kind, id));`,
  // Ascending, so that records come to its right end, where pages fill up, instead of to its left, where each is split.
  `
DROP INDEX scores_by_time;
CREATE INDEX scores_by_time ON scores (pipeline, time);`,
]

/** Brings the schema up to date. Processes that start at once wait for one another on an advisory lock. */
export async function migrate(client: PoolClient, schema: string): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`surprisal ${schema}`])
    await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
    await client.query('CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)')
    const { rows } = await client.query('SELECT max(version) AS version FROM schema_version')
    const version: number = rows[0].version ?? 0
    if (version > MIGRATIONS.length)
      throw new SurprisalError(
        'STORE_FAILED',
        `schema "${schema}" has version ${version}, this program knows ${MIGRATIONS.length}: update surprisal`,
        { retryable: false },
      )
    for (let step = version; step < MIGRATIONS.length; step++) {
      await client.query(MIGRATIONS[step])
      await client.query('INSERT INTO schema_version VALUES ($1)', [step + 1])
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
