import { StagedFile } from '../../../connectors/files/staged-file.ts'
import type { ReportCollector } from '../../report/collector.ts'
import { reportPage } from '../../report/page.ts'

/** Writes the report of `surprisal score --report`, whole or not at all. */
export async function writeReport(
  path: string,
  collector: ReportCollector,
  about: { readonly data: readonly string[]; readonly model: string },
): Promise<void> {
  const file = await StagedFile.create(path)
  try {
    await file.write([Buffer.from(reportPage(collector.data(), { ...about, createdAt: new Date() }))])
    await file.commit()
  } catch (error) {
    await file.discard()
    throw error
  }
}
