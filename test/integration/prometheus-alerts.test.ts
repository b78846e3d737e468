import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { packageRoot } from '../../src/core/package-root.ts'
import { requireProgram } from '../services/install.ts'

const folder = join(packageRoot, 'deploy/prometheus')
const yaml = (name: string) => parse(readFileSync(join(folder, name), 'utf8'))

it('raises every alert on what it is for, by Prometheus itself', async () => {
  const promtool =
    process.env.SURPRISAL_TEST_PROMTOOL || (await requireProgram('promtool', ['promtool'], ['prometheus']))
  const { stdout } = await promisify(execFile)(promtool, ['test', 'rules', 'alerts.test.yml'], {
    cwd: folder,
  })
  expect(stdout).toContain('SUCCESS')
})

it('has a case for every alert that expects it, and one that does not', () => {
  const rules: { alert: string }[] = yaml('alerts.yml').groups.flatMap(
    ({ rules }: { rules: object[] }) => rules,
  )
  const cases: { alertname: string; exp_alerts?: object[] }[] = yaml('alerts.test.yml').tests.flatMap(
    ({ alert_rule_test }: { alert_rule_test: object[] }) => alert_rule_test,
  )
  for (const { alert } of rules) {
    const own = cases.filter(({ alertname }) => alertname === alert)
    expect(
      own.some(({ exp_alerts }) => exp_alerts !== undefined),
      alert,
    ).toBe(true)
    expect(
      own.some(({ exp_alerts }) => exp_alerts === undefined),
      alert,
    ).toBe(true)
  }
})
