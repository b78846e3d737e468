import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requireProgram } from './install.ts'

const KAFKA = '4.3.1'
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

const dependency = (group: string, artifact: string, version: string) =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>surprisal</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', KAFKA)}
${dependency('org.apache.kafka', 'kafka-tools', KAFKA)}
${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
</dependencies></project>
`

/** A folder with Apache Kafka's jars and all they need, fetched once through Maven and kept in the user's cache. */
export async function kafkaJars(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'surprisal-test')
  const jars = join(cache, `kafka-${KAFKA}`)
  if (existsSync(jars)) return jars
  const maven = await requireProgram('kafka', ['mvn'], ['maven', 'default-jre-headless'])
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'fetch-'))
  writeFileSync(join(folder, 'pom.xml'), POM)
  const args = ['-q', '-B', COPY, `-DoutputDirectory=${join(folder, 'jars')}`, '-DincludeScope=runtime']
  try {
    await promisify(execFile)(maven, args, { cwd: folder, maxBuffer: 1 << 26 })
  } catch (cause) {
    const output = (cause as { stdout?: string }).stdout ?? ''
    throw new Error(`Maven could not fetch Kafka ${KAFKA}; set SURPRISAL_TEST_KAFKA instead:\n${output}`, {
      cause,
    })
  }
  // Another test run may have been faster: then its folder stays.
  if (!existsSync(jars)) renameSync(join(folder, 'jars'), jars)
  rmSync(folder, { recursive: true, force: true })
  return jars
}
