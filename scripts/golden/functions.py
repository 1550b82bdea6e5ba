# Activations, regularizers and constraints in float64, with slopes: torch's own functions where it has them, else Keras 3's
# documented formulas. Knows no layer.
import math

import torch
import torch.nn.functional as F
from losses import draw, numbers, rounded
import numpy as np

SELU = (1.6732632423543772, 1.0507009873554805)


def sparsemax(z):
    """By sorting (Martins and Astudillo 2016), along the last axis."""
    s, _ = torch.sort(z, -1, descending=True)
    k = torch.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    sums = s.cumsum(-1)
    count = (1 + k * s > sums).sum(-1, keepdim=True)
    tau = (sums.gather(-1, count - 1) - 1) / count
    return torch.clamp(z - tau, min=0)


def sparse_plus(x):
    return torch.where(x <= -1, torch.zeros_like(x), torch.where(x < 1, 0.25 * (x + 1) ** 2, x))


# (type, options, function); without options the plain name is meant.
ACTIVATIONS = [
    ("linear", {}, lambda x: x * 1),
    ("sigmoid", {}, torch.sigmoid),
    ("tanh", {}, torch.tanh),
    ("relu", {}, torch.relu),
    ("relu", {"negativeSlope": 0.25, "maxValue": 1.5}, lambda x: torch.clamp(F.leaky_relu(x, 0.25), max=1.5)),
    ("relu", {"negativeSlope": 0.5, "threshold": 0.75}, lambda x: torch.where(x < 0.75, 0.5 * (x - 0.75), x)),
    ("softmax", {}, lambda x: torch.softmax(x, -1)),
    ("softmax", {"axis": 1}, lambda x: torch.softmax(x, 1)),
    ("celu", {}, F.celu),
    ("celu", {"alpha": 0.5}, lambda x: F.celu(x, 0.5)),
    ("elu", {}, F.elu),
    ("elu", {"alpha": 0.5}, lambda x: F.elu(x, 0.5)),
    ("exponential", {}, torch.exp),
    ("gelu", {}, F.gelu),
    ("gelu", {"approximate": True}, lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    ("glu", {}, F.glu),
    ("glu", {"axis": 0}, lambda x: F.glu(x, 0)),
    ("hardShrink", {}, F.hardshrink),
    ("hardSigmoid", {}, F.hardsigmoid),
    ("hardSilu", {}, F.hardswish),
    ("hardTanh", {}, F.hardtanh),
    ("leakyRelu", {}, lambda x: F.leaky_relu(x, 0.2)),
    ("leakyRelu", {"negativeSlope": 0.5}, lambda x: F.leaky_relu(x, 0.5)),
    ("logSigmoid", {}, F.logsigmoid),
    ("logSoftmax", {}, lambda x: torch.log_softmax(x, -1)),
    ("mish", {}, F.mish),
    ("relu6", {}, F.relu6),
    ("selu", {}, lambda x: SELU[1] * F.elu(x, SELU[0])),
    ("silu", {}, F.silu),
    ("softShrink", {}, F.softshrink),
    ("softShrink", {"threshold": 1.25}, lambda x: F.softshrink(x, 1.25)),
    ("softplus", {}, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    ("softsign", {}, F.softsign),
    ("sparsePlus", {}, sparse_plus),
    ("sparseSigmoid", {}, lambda x: torch.clamp(0.5 * (x + 1), 0, 1)),
    ("sparsemax", {}, sparsemax),
    ("squareplus", {}, lambda x: (x + torch.sqrt(x * x + 4)) / 2),
    ("squareplus", {"b": 1}, lambda x: (x + torch.sqrt(x * x + 1)) / 2),
    ("tanhShrink", {}, F.tanhshrink),
    ("threshold", {"threshold": 0.5, "defaultValue": -2}, lambda x: F.threshold(x, 0.5, -2)),
]


def l2_normal(w, axis):
    return w / torch.sqrt(torch.clamp((w * w).sum(axis, keepdim=True), min=1e-12))


def orthogonal(w, factor, rows):
    u = l2_normal(w, 1 if rows else 0)
    p = u @ u.T if rows else u.T @ u
    n = p.shape[0]
    return factor * 0.5 * (p * (1 - torch.eye(n, dtype=p.dtype))).abs().sum() / (n * (n - 1) / 2)


REGULARIZERS = [
    ("l1", {}, lambda w: 0.01 * w.abs().sum()),
    ("l2", {}, lambda w: 0.01 * (w * w).sum()),
    ("l2", {"l2": 0.3}, lambda w: 0.3 * (w * w).sum()),
    ("l1l2", {"l1": 0.2, "l2": 0.1}, lambda w: 0.2 * w.abs().sum() + 0.1 * (w * w).sum()),
    ("orthogonalRegularizer", {}, lambda w: orthogonal(w, 0.01, True)),
    ("orthogonalRegularizer", {"factor": 0.5, "mode": "columns"}, lambda w: orthogonal(w, 0.5, False)),
]


def norms(w, axis):
    return torch.sqrt((w * w).sum(axis, keepdim=True))


def limited(w, axis, low, high, rate):
    n = norms(w, axis)
    wanted = rate * torch.clamp(n, low, high) + (1 - rate) * n
    return w * (wanted / (1e-7 + n))


CONSTRAINTS = [
    ("maxNorm", {}, lambda w: limited(w, 0, 0, 2, 1)),
    ("maxNorm", {"maxValue": 1, "axis": 1}, lambda w: limited(w, 1, 0, 1, 1)),
    ("minMaxNorm", {"minValue": 1.5, "maxValue": 1.75, "rate": 0.5}, lambda w: limited(w, 0, 1.5, 1.75, 0.5)),
    ("minMaxNorm", {}, lambda w: limited(w, 0, 0, 1, 1)),
    ("nonNeg", {}, lambda w: torch.clamp(w, min=0)),
    ("unitNorm", {}, lambda w: w / (1e-7 + norms(w, 0))),
    ("unitNorm", {"axis": [0, 1]}, lambda w: w / (1e-7 + norms(w, (0, 1)))),
]


def case(kind, type_, options, function, inputs):
    x = rounded(inputs).requires_grad_()
    y = function(x)
    weights = rounded(draw(3100, *y.shape))
    (y * weights).sum().backward()
    return {
        "name": f"{type_} {options}" if options else type_,
        "kind": kind,
        "type": type_,
        "options": options,
        "input": numbers(x),
        "output": numbers(y),
        "weights": numbers(weights),
        "slope": numbers(x.grad),
    }


def cases():
    # Away from the kinks of all of them, near 0, and far out.
    line = np.concatenate([np.linspace(-4.03, 4.07, 40), [-20, -11.5, 15.5, 30, 0.01, -0.01, 1e-4, -1e-4]]).reshape(4, 12)
    for type_, options, function in ACTIVATIONS:
        yield case("activation", type_, options, function, line)
    w = 1.7 * draw(3000, 7, 5)
    for kind, table in (("regularizer", REGULARIZERS), ("constraint", CONSTRAINTS)):
        for type_, options, function in table:
            yield case(kind, type_, options, function, w)
