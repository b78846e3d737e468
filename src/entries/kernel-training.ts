import { workerData } from 'node:worker_threads'
import { Kernel } from '../kernel/kernel.ts'
import { TrainingShare } from '../kernel/training-share.ts'
import {
  ARRIVED,
  CONTROL_BYTES,
  CONTROL_WORDS,
  DONE,
  GENERATION,
  ORDER,
  PENDING,
  type TeamMember,
} from '../train/kernel-team.ts'
import { decodeWork, perform, WORK_DOUBLES } from '../train/kernel-work.ts'

/** Looks at the barrier this often before it sleeps: a wake-up costs more than most waits. */
const SPINS = 2000

const member = workerData as TeamMember
const { layout } = member
const kernel = new Kernel(member.variant, member.module, member.memory)
const words = kernel.words(member.control, CONTROL_WORDS)
const work = kernel.doubles(member.control + CONTROL_BYTES, WORK_DOUBLES)
const share = new TrainingShare(kernel, layout, member.index, barrier)

for (let order = 0, going = true; going; order++) {
  Atomics.wait(words, ORDER, order)
  going = perform(share, decodeWork(work))
  if (Atomics.sub(words, PENDING, 1) === 1) {
    Atomics.add(words, DONE, 1)
    Atomics.notify(words, DONE)
  }
}

function barrier(): void {
  const generation = Atomics.load(words, GENERATION)
  if (Atomics.add(words, ARRIVED, 1) === layout.threads - 1) {
    Atomics.store(words, ARRIVED, 0)
    Atomics.add(words, GENERATION, 1)
    Atomics.notify(words, GENERATION)
    return
  }
  for (let i = 0; i < SPINS; i++) if (Atomics.load(words, GENERATION) !== generation) return
  Atomics.wait(words, GENERATION, generation)
}
