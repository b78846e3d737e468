import { execFileSync } from 'node:child_process'

/** The process id of a fit that a process has forked. */
export function fitOf(parent: number, but: readonly number[] = []): number | undefined {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n')
  const fits = lines
    .filter((line) => line.includes('fit-child'))
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([pid, ppid, stat]) => Number(ppid) === parent && !stat.startsWith('Z') && !but.includes(Number(pid)),
    )
  return fits.length === 0 ? undefined : Number(fits[0][0])
}
