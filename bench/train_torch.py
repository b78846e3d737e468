"""The Real NVP of bench/train.ts in PyTorch, as a user of it would write it: same start, batches and learning rates.

Called by bench/train.ts with a folder that holds train.f32, held-out.f32, order.i32 and plan.json; prints the curve of
[seconds of training, held-out NLL, steps] as JSON. Needs torch and numpy.
"""
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

folder = Path(sys.argv[1])
plan = json.loads((folder / 'plan.json').read_text())
dim, batch = plan['dim'], plan['batch']
torch.set_num_threads(plan['threads'])
read = lambda name, kind: torch.from_numpy(np.fromfile(folder / name, kind))
train = read('train.f32', np.float32).view(-1, dim)
held_out = read('held-out.f32', np.float32).view(-1, dim)
order = read('order.i32', np.int32).long().view(-1, batch)
weights = {w['name']: torch.tensor(w['data'], dtype=torch.float32).view(w['shape']) for w in plan['weights']}


class Actnorm(nn.Module):
    def __init__(self, i, _):
        super().__init__()
        self.log_scale = nn.Parameter(weights[f'{i}.log_scale'])
        self.bias = nn.Parameter(weights[f'{i}.bias'])

    def forward(self, x):
        return x * self.log_scale.exp() + self.bias, self.log_scale.sum()


class Rotation(nn.Module):
    def __init__(self, i, _):
        super().__init__()
        self.register_buffer('matrix', weights[f'{i}.matrix'])

    def forward(self, x):
        return x @ self.matrix.T, 0.0


class AffineCoupling(nn.Module):
    def __init__(self, i, spec):
        super().__init__()
        self.split, self.limit = spec['split'], spec['maxLogScale']
        layers = []
        for layer in range(len(spec['hidden']) + 1):
            weight, bias = weights[f'{i}.weight.{layer}'], weights[f'{i}.bias.{layer}']
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.weight, linear.bias = nn.Parameter(weight), nn.Parameter(bias)
            layers += [linear, nn.ReLU()]
        self.conditioner = nn.Sequential(*layers[:-1])

    def forward(self, x):
        kept, moved = x[:, : self.split], x[:, self.split :]
        raw, shift = self.conditioner(kept).chunk(2, dim=1)
        log_scale = self.limit * torch.tanh(raw / self.limit)
        return torch.cat([kept, moved * log_scale.exp() + shift], 1), log_scale.sum(1)


KINDS = {'actnorm': Actnorm, 'rotation': Rotation, 'affine-coupling': AffineCoupling}
flow = nn.ModuleList(KINDS[spec['kind']](i, spec) for i, spec in enumerate(plan['bijectors']))


def nll(x):
    log_det = 0.0
    for bijector in flow:
        x, term = bijector(x)
        log_det = log_det + term
    return (0.5 * (x * x).sum(1) + 0.5 * dim * math.log(2 * math.pi) - log_det).mean()


optimizer = torch.optim.Adam(flow.parameters(), lr=1.0, betas=(0.9, 0.999), eps=1e-8)
curve, seconds = [], 0.0
for step, rate in enumerate(plan['rates'], 1):
    began = time.perf_counter()
    for group in optimizer.param_groups:
        group['lr'] = rate
    optimizer.zero_grad(set_to_none=True)
    nll(train[order[step - 1]]).backward()
    nn.utils.clip_grad_norm_(flow.parameters(), 10.0)
    optimizer.step()
    seconds += time.perf_counter() - began
    if step % plan['evaluateEvery'] == 0 or step == len(plan['rates']):
        with torch.no_grad():
            curve.append([seconds, nll(held_out).item(), step])
print(json.dumps({'version': torch.__version__, 'curve': curve}))
