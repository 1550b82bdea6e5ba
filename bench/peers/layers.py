# PyTorch's depthwise convolutions and multi-head attention, eager, as its users write them: for bench/layers.ts. Prints milliseconds of a
# batch for each epoch.
import json
import os
import sys
import time

net, clock = sys.argv[1:3]
threads, batches, epochs, classes, images, side, channels, window, sequences, steps, features, heads = map(int, sys.argv[3:])
now = time.process_time if clock == "processor" else time.perf_counter
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import torch
from torch import nn

torch.set_num_threads(threads)
torch.manual_seed(1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(features, heads, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]


class Mean(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.mean(self.dims)


if net == "depthwise":
    conv = lambda: nn.Conv2d(channels, channels, window, padding=window // 2, groups=channels)
    model = nn.Sequential(conv(), conv(), Mean((2, 3)), nn.Linear(channels, classes))
    x = torch.rand(images * batches, channels, side, side)
else:
    model = nn.Sequential(Attention(), Attention(), Mean(1), nn.Linear(features, classes))
    x = torch.rand(sequences * batches, steps, features)

y = torch.rand(len(x), classes)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
size = len(x) // batches
times = []
for _ in range(epochs):
    start = now()
    order = torch.randperm(len(x))
    for first in range(0, len(x), size):
        rows = order[first : first + size]
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    times.append(1000 * (now() - start) / batches)
print(json.dumps({"times": times}))
