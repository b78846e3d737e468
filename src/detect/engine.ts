/**
 * tfjs-core, ready for use. Every import of it goes through here, because its build for Node holds no gradients:
 * those of the operations that flows are made of are registered below, unless a backend package brought its own.
 */
import * as tf from '@tensorflow/tfjs-core'
import { GRADIENTS } from './gradients.ts'

tf.enableProdMode()
for (const gradient of GRADIENTS) {
  if (tf.getGradient(gradient.kernelName) === undefined) tf.registerGradient(gradient)
}

export type { Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs-core'
export { tf }

/** Makes tfjs's plain JavaScript backend the current one: the oracle that everything else is compared with. */
export async function useCpu(): Promise<void> {
  await import('@tensorflow/tfjs-backend-cpu')
  await tf.setBackend('cpu')
}
