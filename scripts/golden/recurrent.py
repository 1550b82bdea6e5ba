# Recurrent layers in float64: torch's own recurrences over Keras's parameters; GRU with resetAfter=False by Keras 3's formula, which
# torch does not have. Cases of layers.json, and ten steps of training for recurrent.json.
import torch
from layers import case
from losses import draw, numbers, rounded

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
RATE = 0.5


def turned(weights, order):
    """Keras's columns of gates as torch's rows of gates, in another order."""
    return torch.cat([weights.chunk(len(order), -1)[i] for i in order], -1).t().contiguous()


def bias_of(bias, order):
    return torch.cat([bias.chunk(len(order))[i] for i in order])


def by_torch(type_, x, p):
    """All outputs; h and c begin with zeros."""
    order = {"SimpleRNN": [0], "LSTM": [0, 1, 2, 3], "GRU": [1, 0, 2]}[type_]
    zeros = torch.zeros(1, x.shape[0], UNITS, dtype=x.dtype)
    weights = [turned(p["kernel"], order), turned(p["recurrentKernel"], order)]
    bias = p.get("bias")
    if bias is not None:
        pair = bias if bias.dim() == 2 else [bias, torch.zeros_like(bias)]
        weights += [bias_of(b, order) for b in pair]
    common = (weights, bias is not None, 1, 0.0, False, False, True)
    if type_ == "LSTM":
        return torch.lstm(x, (zeros, zeros), *common)[0]
    return {"SimpleRNN": torch.rnn_tanh, "GRU": torch.gru}[type_](x, zeros, *common)[0]


def gru_before(x, p):
    """GRU with resetAfter=False."""
    u, w, b = p["recurrentKernel"], p["kernel"], p["bias"]
    h = torch.zeros(x.shape[0], UNITS, dtype=x.dtype)
    outputs = []
    for t in range(x.shape[1]):
        xz, xr, xh = (x[:, t] @ w + b).chunk(3, -1)
        hz, hr = (h @ u[:, : 2 * UNITS]).chunk(2, -1)
        z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
        h = z * h + (1 - z) * torch.tanh(xh + (r * h) @ u[:, 2 * UNITS :])
        outputs.append(h)
    return torch.stack(outputs, 1)


def parameters(type_, options, seed):
    n = GATES[type_] * UNITS
    values = {"kernel": rounded(draw(seed, FEATURES, n)), "recurrentKernel": rounded(draw(seed + 1, UNITS, n))}
    if options.get("useBias", True):
        shape = (2, n) if type_ == "GRU" and options.get("resetAfter", True) else (n,)
        values["bias"] = rounded(draw(seed + 2, *shape))
    return values


def output(type_, options, x, p):
    before = type_ == "GRU" and not options.get("resetAfter", True)
    x = x.flip(1) if options.get("goBackwards") else x
    every = gru_before(x, p) if before else by_torch(type_, x, p)
    return every if options.get("returnSequences") else every[:, -1]


VARIANTS = [
    ("SimpleRNN", {}),
    ("SimpleRNN", {"returnSequences": True}),
    ("LSTM", {}),
    ("LSTM", {"returnSequences": True, "goBackwards": True}),
    ("LSTM", {"useBias": False}),
    ("GRU", {}),
    ("GRU", {"returnSequences": True}),
    ("GRU", {"resetAfter": False}),
    ("GRU", {"resetAfter": False, "goBackwards": True, "returnSequences": True}),
]


def cases():
    for i, (type_, options) in enumerate(VARIANTS):
        name = " ".join([type_, *(f"{k} {str(v).lower()}" for k, v in options.items())])
        x = rounded(draw(3400 + i, BATCH, STEPS, FEATURES))
        given = {"units": UNITS, **options}
        values = parameters(type_, options, 3500 + 3 * i)
        yield case(name, type_, given, [x], values, lambda x, p: output(type_, options, x, p))


def trainings():
    """Ten steps of gradient descent on the mean squared error of the last output."""
    for i, (type_, options) in enumerate([("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"resetAfter": False})]):
        x = rounded(draw(3600 + i, BATCH, STEPS, FEATURES))
        y = rounded(draw(3610 + i, BATCH, UNITS))
        first = parameters(type_, options, 3620 + 3 * i)
        p = {k: v.clone().requires_grad_() for k, v in first.items()}
        losses = []
        for _ in range(10):
            loss = ((output(type_, options, x, p) - y) ** 2).mean()
            losses.append(loss.item())
            slopes = torch.autograd.grad(loss, list(p.values()))
            p = {k: (v - RATE * g).detach().requires_grad_() for (k, v), g in zip(p.items(), slopes)}
        yield {
            "name": " ".join([type_, *(f"{k} {str(v).lower()}" for k, v in options.items())]),
            "type": type_,
            "options": {"units": UNITS, **options},
            "learningRate": RATE,
            "x": numbers(x),
            "y": numbers(y),
            "parameters": {k: numbers(v) for k, v in first.items()},
            "losses": losses,
            "trained": {k: numbers(v) for k, v in p.items()},
        }
