# PyTorch, eager, as its users write it: nn.Sequential, autograd, optim.SGD.
#
# Fair to PyTorch: the whole set lies in memory as float32, a batch is one gather, no DataLoader, and sums of loss and accuracy
# stay tensors until the epoch ends. `seconds` is the training of the epoch with its shuffling, without reading and validation.
# Torch is only as fast as its BLAS (the first line says which): Debian's python3-torch alone takes the reference BLAS, over ten
# times slower; a fair peer needs OpenBLAS (bench/README.md).
import platform
import time

from common import blas, options, read_rows, say, task, turn  # sets the number of threads before torch is loaded

import torch
import torch.nn.functional as F
from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
BINARY = task["output"] == "sigmoid"


def read(part):
    x, y = read_rows(part)
    return torch.from_numpy(x), torch.from_numpy(y).float().unsqueeze(1) if BINARY else torch.from_numpy(y).long()


def build():
    layers = []
    for inputs, units in zip(task["sizes"], task["sizes"][1:]):
        dense = nn.Linear(inputs, units)
        nn.init.xavier_uniform_(dense.weight)
        nn.init.zeros_(dense.bias)
        layers += [dense, ACTIVATIONS[task["hidden"]]()]
    return nn.Sequential(*layers[:-1])


def right(z, target):
    return ((z > 0) == (target > 0.5)).sum() if BINARY else (z.argmax(1) == target).sum()


def train_epoch(net, optimizer, x, y):
    """Mean loss and accuracy of the epoch's batches, each measured before its update."""
    batch = task["batch"]
    loss_sum, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    order = torch.randperm(len(x))
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        target = y[rows]
        z = net(x[rows])
        loss = F.binary_cross_entropy_with_logits(z, target) if BINARY else F.cross_entropy(z, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        hits += right(z.detach(), target)
    return loss_sum.item() / len(x), hits.item() / len(x)


def main():
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    x, y = read("train")
    net = build()
    optimizer = torch.optim.SGD(net.parameters(), lr=task["learningRate"])
    say(versions={"python": platform.python_version(), "torch": torch.__version__}, blas=blas(), threads=torch.get_num_threads())
    for epoch in range(1, options.epochs + 1):
        turn()
        start = time.perf_counter()
        loss, accuracy = train_epoch(net, optimizer, x, y)
        say(epoch=epoch, seconds=time.perf_counter() - start, loss=loss, accuracy=accuracy)
    turn()
    if task["validate"]:
        with torch.no_grad():
            x, y = read("test")
            say(validationAccuracy=right(net(x), y).item() / len(x))


if __name__ == "__main__":
    main()
