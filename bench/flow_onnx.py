"""A Real NVP of bench/runtimes.ts as an ONNX graph: argv[1] holds plan.json, argv[2] is the file to write. Needs onnx, numpy."""
import json
import math
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

plan = json.load(open(sys.argv[1]))
weights = {w['name']: np.array(w['data'], np.float32).reshape(w['shape']) for w in plan['weights']}
nodes, constants = [], []


def constant(value):
    name = f'c{len(constants)}'
    constants.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def op(kind, *inputs, outputs=1, **attributes):
    names = [f'n{len(nodes)}_{i}' for i in range(outputs)]
    nodes.append(helper.make_node(kind, inputs, names, **attributes))
    return names[0] if outputs == 1 else names


x, log_dets = 'x', []
for i, bijector in enumerate(plan['spec']['bijectors']):
    if bijector['kind'] == 'actnorm':
        scale = weights[f'{i}.log_scale']
        x = op('Add', op('Mul', x, constant(np.exp(scale))), constant(weights[f'{i}.bias']))
        log_dets.append(constant(np.float32(scale.sum())))
    elif bijector['kind'] == 'rotation':
        x = op('MatMul', x, constant(np.ascontiguousarray(weights[f'{i}.matrix'].T)))
    else:
        split, limit = bijector['split'], np.float32(bijector['maxLogScale'])
        moved = plan['spec']['dim'] - split
        kept, rest = op('Split', x, constant(np.array([split, moved], np.int64)), outputs=2, axis=1)
        hidden, last = kept, len(bijector['hidden'])
        for layer in range(last + 1):
            hidden = op('Gemm', hidden, constant(weights[f'{i}.weight.{layer}']), constant(weights[f'{i}.bias.{layer}']), transB=1)
            hidden = op('Relu', hidden) if layer < last else hidden
        raw, shift = op('Split', hidden, constant(np.array([moved, moved], np.int64)), outputs=2, axis=1)
        scale = op('Mul', op('Tanh', op('Div', raw, constant(limit))), constant(limit))
        x = op('Concat', kept, op('Add', op('Mul', rest, op('Exp', scale)), shift), axis=1)
        log_dets.append(op('ReduceSum', scale, constant(np.array([1], np.int64)), keepdims=0))

energy = op('ReduceSum', op('Mul', x, x), constant(np.array([1], np.int64)), keepdims=0)
base = constant(np.float32(-0.5 * plan['spec']['dim'] * math.log(2 * math.pi)))
total = op('Add', op('Mul', energy, constant(np.float32(-0.5))), base)
for log_det in log_dets:
    total = op('Add', total, log_det)
graph = helper.make_graph(
    nodes,
    'real-nvp',
    [helper.make_tensor_value_info('x', TensorProto.FLOAT, ['rows', plan['spec']['dim']])],
    [helper.make_tensor_value_info(total, TensorProto.FLOAT, ['rows'])],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
checker.check_model(model)
save(model, sys.argv[2])
