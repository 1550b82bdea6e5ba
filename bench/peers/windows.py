# PyTorch's convolutions, eager, as its users write them: for bench/windows.ts. Prints milliseconds of a batch of LeNet-5 for each
# epoch, GF/s of one convolution (best of several) forward and backward, and the BLAS.
import json
import os
import sys
import time

threads, batch, batches, epochs, images, side, channels, window = map(int, sys.argv[2:])
now = time.process_time if sys.argv[1] == "processor" else time.perf_counter
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import torch
from torch import nn

torch.set_num_threads(threads)
torch.manual_seed(1)


def blas():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return sorted({os.path.realpath(line.split()[-1]) for line in maps if "blas" in line or "mkl" in line})


def lenet():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    x, y = torch.rand(batch * batches, 1, 28, 28), torch.randint(0, 10, (batch * batches,))
    times = []
    for _ in range(epochs):
        start = now()
        order = torch.randperm(len(x))
        for first in range(0, len(x), batch):
            rows = order[first : first + batch]
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        times.append(1000 * (now() - start) / batches)
    return times


def convolution():
    conv = nn.Conv2d(channels, channels, window, padding=window // 2, bias=False)
    x = torch.rand(images, channels, side, side, requires_grad=True)
    flops = 2 * images * side**2 * channels**2 * window**2
    forward, backward = [], []
    for _ in range(8):
        start = now()
        y = conv(x)
        middle = now()
        y.backward(torch.ones_like(y))
        backward.append(now() - middle)
        forward.append(middle - start)
    return {"forward": flops / min(forward) / 1e9, "backward": 2 * flops / min(backward) / 1e9}


print(json.dumps({"times": lenet(), **convolution(), "blas": blas()}))
