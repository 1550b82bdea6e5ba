# numpy with forward pass, backpropagation and update written by hand, in float32.
#
# Fair to numpy: nothing is computed that is not needed (no slopes of the inputs), slopes reuse the arrays of the forward pass,
# weights are updated in place. The time goes to BLAS (the first line says which) and to elementwise passes.
import platform
import time

from common import blas, options, read_rows, say, task, turn  # sets the number of threads before numpy is loaded

import numpy as np

HIDDEN, BATCH = task["hidden"], task["batch"]
BINARY = task["output"] == "sigmoid"
RATE = np.float32(task["learningRate"])
random = np.random.default_rng(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def activate(z):
    """The activation, in place where it can be."""
    if HIDDEN == "relu":
        return np.maximum(z, 0, out=z)
    return np.tanh(z, out=z) if HIDDEN == "tanh" else sigmoid(z)


def times_slope(d, h):
    """d times the activation's slope, which follows from its value."""
    if HIDDEN == "relu":
        d *= h > 0
    else:
        d *= 1 - h * h if HIDDEN == "tanh" else h * (1 - h)
    return d


def forward(weights, x):
    """The values of every layer, the last without its activation."""
    values = [x]
    for i, (w, b) in enumerate(weights):
        z = values[-1] @ w
        z += b
        values.append(activate(z) if i < len(weights) - 1 else z)
    return values


def output(z, y):
    """Sum of the loss, right answers, and the slope of the summed loss by z (which may overwrite z)."""
    if BINARY:
        z, y = z[:, 0], y.astype(np.float32)
        loss = (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).sum()
        return loss, ((z > 0) == (y > 0.5)).sum(), (sigmoid(z) - y)[:, None]
    rows = np.arange(len(z))
    hits = (z.argmax(1) == y).sum()
    z -= z.max(1, keepdims=True)
    own = z[rows, y]
    np.exp(z, out=z)
    total = z.sum(1, keepdims=True)
    loss = (np.log(total[:, 0]) - own).sum()
    z /= total
    z[rows, y] -= 1
    return loss, hits, z


def train_epoch(weights, x, y):
    loss_sum, right = 0.0, 0
    order = random.permutation(len(x))
    for start in range(0, len(x), BATCH):
        rows = order[start : start + BATCH]
        values = forward(weights, x.take(rows, 0))
        loss, hits, d = output(values[-1], y[rows])
        loss_sum += loss
        right += hits
        d *= RATE / np.float32(len(rows))
        for i in reversed(range(len(weights))):
            w, b = weights[i]
            before = d
            if i > 0:
                d = times_slope(before @ w.T, values[i])
            w -= values[i].T @ before
            b -= before.sum(0)
    return float(loss_sum) / len(x), int(right) / len(x)


def main():
    x, y = read_rows("train")
    weights = []
    for inputs, units in zip(task["sizes"], task["sizes"][1:]):
        limit = (6 / (inputs + units)) ** 0.5
        w = random.uniform(-limit, limit, (inputs, units)).astype(np.float32)
        weights.append((w, np.zeros(units, np.float32)))
    say(versions={"python": platform.python_version(), "numpy": np.__version__}, blas=blas())
    for epoch in range(1, options.epochs + 1):
        turn()
        start = time.perf_counter()
        loss, accuracy = train_epoch(weights, x, y)
        say(epoch=epoch, seconds=time.perf_counter() - start, loss=loss, accuracy=accuracy)
    turn()
    if task["validate"]:
        x, y = read_rows("test")
        say(validationAccuracy=int(output(forward(weights, x)[-1], y)[1]) / len(x))


if __name__ == "__main__":
    main()
