import type { DuckDBConnection } from '@duckdb/node-api'
import type { ScoreQuery } from '../../src/core/ports.ts'
import { selectionOf } from '../sql/score-conditions.ts'
import { DUCKDB } from './dialect.ts'

/** Copies the scores that a query finds into a Parquet file (zstd), in page order. Returns how many. */
export async function writeParquet(
  connection: DuckDBConnection,
  path: string,
  query: Omit<ScoreQuery, 'limit' | 'cursor'>,
): Promise<number> {
  const { table, where, orderBy, values } = selectionOf({ ...query, limit: 1 }, undefined, DUCKDB)
  const target = path.replaceAll("'", "''")
  const { rowsChanged } = await connection.run(
    `COPY (SELECT prefix || '-' || "offset" AS id, * EXCLUDE (prefix, time) FROM ${table}
      WHERE ${where} ORDER BY ${orderBy}) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`,
    [...values],
  )
  return rowsChanged
}
