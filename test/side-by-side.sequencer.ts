import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Takes the files of all projects in turn: those that talk to servers mostly wait, those that compute fill the cores. */
export class SideBySide extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const lanes = new Set(sorted.map(({ project }) => project))
    return [...lanes]
      .map((lane) => sorted.filter(({ project }) => project === lane))
      .flatMap((lane) => lane.map((file, i) => ({ file, at: (i + 0.5) / lane.length })))
      .sort((a, b) => a.at - b.at)
      .map(({ file }) => file)
  }
}
