# PyTorch's LSTM, eager, as its users write it: for bench/recurrent.ts. Prints milliseconds of a batch for each epoch, and the BLAS.
import json
import os
import sys
import time

threads, steps, features, units, batch, batches, epochs = map(int, sys.argv[2:])
now = time.process_time if sys.argv[1] == "processor" else time.perf_counter
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)
        self.out = nn.Linear(units, 1)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


def blas():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return sorted({os.path.realpath(line.split()[-1]) for line in maps if "blas" in line or "mkl" in line})


torch.set_num_threads(threads)
torch.manual_seed(1)
x, y = 2 * torch.rand(batch * batches, steps, features) - 1, 2 * torch.rand(batch * batches, 1) - 1
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
times = []
for _ in range(epochs):
    start = now()
    for first in range(0, len(x), batch):
        loss = nn.functional.mse_loss(net(x[first : first + batch]), y[first : first + batch])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    times.append(1000 * (now() - start) / batches)
print(json.dumps({"times": times, "blas": blas()}))
