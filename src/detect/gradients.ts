import * as tf from '@tensorflow/tfjs-core'

/** Gradients by operation: (gradient of the output, saved tensors, attributes) → gradients of the inputs. */
export const GRADIENTS: readonly tf.GradConfig[] = [
  {
    kernelName: tf.BatchMatMul,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved, attributes) => {
      const [a, b] = saved as tf.Tensor2D[]
      const d = dy as tf.Tensor2D
      const { transposeA, transposeB } = attributes as unknown as tf.BatchMatMulAttrs
      return {
        a: () => (transposeA ? tf.matMul(b, d, transposeB, true) : tf.matMul(d, b, false, !transposeB)),
        b: () => (transposeB ? tf.matMul(d, a, true, transposeA) : tf.matMul(a, d, !transposeA, false)),
      }
    },
  },
  {
    kernelName: tf.Add,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => ({
      a: () => summedTo(dy as tf.Tensor, saved[0].shape),
      b: () => summedTo(dy as tf.Tensor, saved[1].shape),
    }),
  },
  {
    kernelName: tf.Sub,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => ({
      a: () => summedTo(dy as tf.Tensor, saved[0].shape),
      b: () => summedTo(tf.neg(dy as tf.Tensor), saved[1].shape),
    }),
  },
  {
    kernelName: tf.Multiply,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => ({
      a: () => summedTo(tf.mul(dy as tf.Tensor, b), a.shape),
      b: () => summedTo(tf.mul(dy as tf.Tensor, a), b.shape),
    }),
  },
  { kernelName: tf.Neg, gradFunc: (dy) => ({ x: () => tf.neg(dy as tf.Tensor) }) },
  {
    kernelName: tf.Exp,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => tf.mul(dy as tf.Tensor, y) }),
  },
  {
    kernelName: tf.Tanh,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.sub(1, tf.square(y))) }),
  },
  {
    kernelName: tf.Relu,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.step(y)) }),
  },
  {
    kernelName: tf.Sum,
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const axes = tf.util.parseAxisParam((attributes as unknown as tf.SumAttrs).axis, x.shape)
        const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
        return tf.mul(tf.reshape(dy as tf.Tensor, kept), tf.ones(x.shape))
      },
    }),
  },
  {
    kernelName: tf.Reshape,
    inputsToSave: ['x'],
    gradFunc: (dy, [x]) => ({ x: () => tf.reshape(dy as tf.Tensor, x.shape) }),
  },
  {
    kernelName: tf.Slice,
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const { begin, size } = attributes as unknown as tf.SliceAttrs
        const [from, length] = tf.slice_util.parseSliceParams(x, begin, size)
        return tf.pad(
          dy as tf.Tensor,
          from.map((start, axis) => [start, x.shape[axis] - start - length[axis]] as [number, number]),
        )
      },
    }),
  },
  {
    kernelName: tf.Concat,
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const axis = tf.util.parseAxisParam((attributes as unknown as tf.ConcatAttrs).axis, saved[0].shape)[0]
      const parts = tf.split(
        dy as tf.Tensor,
        saved.map((t) => t.shape[axis]),
        axis,
      )
      return Object.fromEntries(parts.map((part, i) => [i, () => part]))
    },
  },
]

/** Undoes broadcasting: the gradient of a smaller operand is the sum over where it was repeated. */
function summedTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape)
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape)
}
