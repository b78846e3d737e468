/** Tables of a DuckDB score store. `rollups` is append-only between compactions: rows of one bucket add up. */
export const SCHEMA_VERSION = 3
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS surprisal_schema (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS scores (
  pipeline VARCHAR NOT NULL, run_id VARCHAR, prefix VARCHAR NOT NULL, "offset" BIGINT NOT NULL,
  topic VARCHAR, partition INTEGER, model_version INTEGER NOT NULL,
  time TIMESTAMP_MS NOT NULL, event_time TIMESTAMP_MS, scored_at TIMESTAMP_MS NOT NULL, entity VARCHAR,
  log_prob DOUBLE, score DOUBLE, p_value DOUBLE, p_method VARCHAR, verdict VARCHAR NOT NULL, severity VARCHAR,
  threshold DOUBLE NOT NULL, reasons VARCHAR, attribution VARCHAR);
ALTER TABLE scores ADD COLUMN IF NOT EXISTS suppressed VARCHAR;
CREATE TABLE IF NOT EXISTS rollups (
  pipeline VARCHAR NOT NULL, width BIGINT NOT NULL, start BIGINT NOT NULL,
  records BIGINT NOT NULL, anomalies BIGINT NOT NULL, unscored BIGINT NOT NULL, score_max DOUBLE,
  bins INTEGER[] NOT NULL, counts BIGINT[] NOT NULL);
CREATE TABLE IF NOT EXISTS stored_offsets (
  pipeline VARCHAR NOT NULL, run_id VARCHAR, prefix VARCHAR NOT NULL,
  first BIGINT NOT NULL, next BIGINT NOT NULL, touched_at TIMESTAMP_MS NOT NULL);
CREATE TABLE IF NOT EXISTS labels (
  pipeline VARCHAR NOT NULL, id VARCHAR NOT NULL, label VARCHAR NOT NULL, who VARCHAR NOT NULL, "at" VARCHAR NOT NULL,
  note VARCHAR, PRIMARY KEY (pipeline, id));
CREATE TABLE IF NOT EXISTS notices (
  pipeline VARCHAR NOT NULL, kind VARCHAR NOT NULL, id VARCHAR NOT NULL, "at" BIGINT NOT NULL,
  heard_at BIGINT NOT NULL, body VARCHAR NOT NULL, PRIMARY KEY (pipeline, kind, id));
`

/**
 * Where a connection that writes gathers a batch: chunks hold only what differs from row to row, and what few rows have
 * is in `noted` alone, because a null costs an append more than a number.
 */
export const INCOMING = `
CREATE OR REPLACE TEMP TABLE incoming (
  "offset" DOUBLE, time DOUBLE, event_time DOUBLE, entity VARCHAR, log_prob DOUBLE, score DOUBLE, p_value DOUBLE,
  p_method UTINYINT, verdict UTINYINT);
CREATE OR REPLACE TEMP TABLE noted AS
  SELECT *, ''::VARCHAR AS severity, ''::VARCHAR AS reasons, ''::VARCHAR AS attribution, ''::VARCHAR AS suppressed
  FROM incoming;
`

/**
 * Brings a file of an older version up to this one. `anomalies` repeats the anomalies among the scores, about one in a
 * thousand: DuckDB has no partial index that would find them.
 */
export const MIGRATE = `CREATE OR REPLACE TABLE anomalies AS FROM scores WHERE verdict = 'anomaly'`

/** Moves `incoming` and `noted` into `scores`, anomalies into `anomalies` too, with what a batch shares as $1 … $8. */
export const TAKE_IN = [
  takeInto('scores', '(FROM incoming UNION ALL BY NAME FROM noted)'),
  takeInto('anomalies', 'noted WHERE verdict = 1'),
] as const

function takeInto(table: string, rows: string): string {
  return `INSERT INTO ${table}
SELECT $1, $2, $3, "offset"::BIGINT, $4, $5::INTEGER, $6::INTEGER,
  make_timestamp_ms(time::BIGINT), make_timestamp_ms(event_time::BIGINT), make_timestamp_ms($7::BIGINT), entity,
  log_prob, score, p_value, CASE p_method WHEN 0 THEN 'rank' WHEN 1 THEN 'tail' END,
  CASE verdict WHEN 0 THEN 'normal' WHEN 1 THEN 'anomaly' ELSE 'unscored' END,
  severity, $8::DOUBLE, reasons, attribution, suppressed
FROM ${rows}`
}

/** Adds up the roll-up rows of every bucket that has more than one, keeping each bucket's sum. */
export const COMPACT = [
  `CREATE OR REPLACE TEMP TABLE scattered AS
    SELECT * FROM rollups SEMI JOIN
      (SELECT pipeline, width, start FROM rollups GROUP BY ALL HAVING count(*) > 1) USING (pipeline, width, start)`,
  `DELETE FROM rollups WHERE (pipeline, width, start) IN (SELECT (pipeline, width, start) FROM scattered)`,
  `INSERT INTO rollups BY NAME
    WITH pairs AS (SELECT pipeline, width, start, unnest(bins) AS bin, unnest(counts) AS n FROM scattered),
    sums AS (SELECT pipeline, width, start, bin, sum(n)::BIGINT AS n FROM pairs GROUP BY ALL),
    lists AS (SELECT pipeline, width, start, list(bin ORDER BY bin) AS bins, list(n ORDER BY bin) AS counts
      FROM sums GROUP BY ALL)
    SELECT pipeline, width, start, sum(records)::BIGINT AS records, sum(anomalies)::BIGINT AS anomalies,
      sum(unscored)::BIGINT AS unscored, max(score_max) AS score_max,
      coalesce(any_value(lists.bins), []) AS bins, coalesce(any_value(lists.counts), []) AS counts
    FROM scattered LEFT JOIN lists USING (pipeline, width, start) GROUP BY pipeline, width, start`,
  `DROP TABLE scattered`,
] as const

/** Replaces a pipeline's ranges of stored offsets from before a time by their hull, origin by origin. */
export const FORGET_GAPS = [
  `CREATE OR REPLACE TEMP TABLE hulls AS
    SELECT pipeline, run_id, prefix, min(first) AS first, max(next) AS next, max(touched_at) AS touched_at
    FROM stored_offsets WHERE pipeline = $1 AND touched_at < make_timestamp_ms($2::BIGINT)
    GROUP BY ALL HAVING count(*) > 1`,
  `DELETE FROM stored_offsets AS s USING hulls AS h
    WHERE s.pipeline = h.pipeline AND s.run_id IS NOT DISTINCT FROM h.run_id AND s.prefix = h.prefix
      AND s.first >= h.first AND s.next <= h.next`,
  'INSERT INTO stored_offsets BY NAME SELECT * FROM hulls',
  'DROP TABLE hulls',
] as const
