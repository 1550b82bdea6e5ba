# What the Python peers share: arguments, data, and the lines they print.
import argparse
import json
import os
import sys

_parser = argparse.ArgumentParser(description="Train a workload; print one JSON line per epoch.")
_parser.add_argument("--workload", required=True, help="the task as JSON, see bench/workloads.ts")
_parser.add_argument("--threads", type=int, default=1)
_parser.add_argument("--epochs", type=int, default=2)
_parser.add_argument("--variant", default="")
_parser.add_argument("--turns", action="store_true", help="wait for a line before each epoch and before the validation")
options = _parser.parse_args()
# The libraries for matrix products read these when they are loaded: they must be set before numpy is imported.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = str(options.threads)

import numpy as np

with open(options.workload, encoding="utf-8") as _file:
    task = json.load(_file)


def say(**line):
    print(json.dumps(line), flush=True)


def turn():
    """With --turns: waits until it is this process's turn; a line of the input says so."""
    if options.turns and not sys.stdin.readline():
        sys.exit()


def read_rows(part="train"):
    """Inputs as float32 (bytes become numbers from 0 to 1), and the class of each row."""
    source = task["test"] if part == "test" else task
    x = np.fromfile(source["x"], np.dtype(task["kind"])).reshape(source["rows"], -1)
    x = x.astype(np.float32) / np.float32(255) if task["kind"] == "uint8" else x
    return x, np.fromfile(source["y"], np.int32)


def blas():
    """The libraries for matrix products that are loaded (Linux only)."""
    if not os.path.exists("/proc/self/maps"):
        return []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        names = {os.path.realpath(line.split()[-1]) for line in maps if "blas" in line or "mkl" in line}
    return sorted(name for name in names if "lapack" not in name)
