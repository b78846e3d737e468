import type { DriftReport, Episode, Heard, PipelineStatus } from '../../src/core/ports.ts'
import type { SqlValue } from './score-conditions.ts'

/** Both databases keep notices in the table `notices`, as JSON, and take the same statements. */
export type NoticeKind = 'episode' | 'drift' | 'status'

const KEPT = 500
/** Older ones go every so many notices. */
export const NOTICES_BETWEEN_SWEEPS = 64
export const PUT_NOTICE = `INSERT INTO notices (pipeline, kind, id, "at", heard_at, body)
  VALUES ($1, $2, $3, $4::BIGINT, $5::BIGINT, $6)
  ON CONFLICT (pipeline, kind, id) DO UPDATE SET "at" = excluded."at", heard_at = excluded.heard_at,
    body = excluded.body`
export const FORGET_NOTICES = `DELETE FROM notices WHERE pipeline = $1 AND kind = $2 AND "at" <
  (SELECT min("at") FROM (SELECT "at" FROM notices WHERE pipeline = $1 AND kind = $2
    ORDER BY "at" DESC LIMIT ${KEPT}) AS newest)`
export const NOTICES = `SELECT body, heard_at::DOUBLE PRECISION AS heard_at FROM notices
  WHERE pipeline = $1 AND kind = $2 ORDER BY "at" DESC, id DESC LIMIT $3::BIGINT`
export const STATUSES = `SELECT body, heard_at::DOUBLE PRECISION AS heard_at FROM notices WHERE kind = 'status'
  ORDER BY pipeline, id`

export interface NoticeRow {
  readonly body: string
  readonly heard_at: number
}

export function episodeValues(episode: Episode, now: number): SqlValue[] {
  return [
    episode.pipeline,
    'episode',
    episode.id,
    Date.parse(episode.started_at),
    now,
    JSON.stringify(episode),
  ]
}

export function driftValues(pipeline: string, look: DriftReport, now: number): SqlValue[] {
  return [pipeline, 'drift', `${look.from}/${look.to}`, Date.parse(look.to), now, JSON.stringify(look)]
}

export function statusValues(process: string, status: PipelineStatus, now: number): SqlValue[] {
  return [status.name, 'status', process, now, now, JSON.stringify(status)]
}

export function heardOf<Notice>({ body, heard_at }: NoticeRow): Heard<Notice> {
  return { notice: JSON.parse(body), heardAt: heard_at }
}
