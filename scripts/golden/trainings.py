# Ten rounds of training of small networks, in float64 and float32. Knows the data only as formulas.
import base64

import formulas
import numpy as np
import torch
import torch.nn.functional as F

ROUNDS = 10
CHECKED = 1000  # tensors with more elements than this are recorded with a stride of 17

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "linear": lambda z: z, "softmax": None}

# Of the outputs z of the last layer before its activation.
LOSSES = {
    "categoricalCrossentropy": lambda z, y: -(y * F.log_softmax(z, 1)).sum(1).mean(),
    "binaryCrossentropy": lambda z, y: F.binary_cross_entropy_with_logits(z, y),
    "meanSquaredError/softmax": lambda z, y: ((torch.softmax(z, 1) - y) ** 2).mean(1).mean(),
    "meanSquaredError": lambda z, y: ((z - y) ** 2).mean(1).mean(),
    "meanAbsoluteError": lambda z, y: (z - y).abs().mean(1).mean(),
}


def data_of(case):
    d = case["data"]
    rows, width, classes = case["batch"] * ROUNDS, case["inputs"], d["classes"]
    x = {"images": formulas.images, "clusters": formulas.clusters}[d["inputs"]](d["seed"], rows, width, classes)
    label = formulas.labels(rows, classes)
    if d["targets"] == "surface":
        return x, formulas.surface(x)
    if d["targets"] == "label":
        return x, label.astype(np.float32)[:, None]
    return x, np.eye(classes, dtype=np.float32)[label]


def initial(case):
    """Name -> float32 array, in the order kernel, bias of each layer; stream 16 seed + 4 + its place in the list."""
    tensors, inputs = {}, case["inputs"]
    for i, layer in enumerate(case["layers"]):
        stream = 16 * case["data"]["seed"] + 4 + 2 * i
        tensors[f"{i}/kernel"] = formulas.kernel(stream, inputs, layer["units"])
        tensors[f"{i}/bias"] = formulas.bias(stream + 1, layer["units"])
        inputs = layer["units"]
    return tensors


def loss_of(case, p, x, y):
    for i, layer in enumerate(case["layers"]):
        z = x @ p[f"{i}/kernel"] + p[f"{i}/bias"]
        if i + 1 < len(case["layers"]):
            x = ACTIVATIONS[layer["activation"]](z)
    name = case["loss"] + ("/softmax" if case["loss"] == "meanSquaredError" and layer["activation"] == "softmax" else "")
    return LOSSES[name](z, y)


def float32(x):
    """The float32 nearest to x: the rates are rounded, so that both precisions compute with the same number."""
    return float(np.float32(x))


def train(case, dtype):
    """Losses before each round's update, loss of all rows at the end, first gradients, final tensors."""
    x, y = (torch.tensor(v, dtype=dtype) for v in data_of(case))
    p = {name: torch.tensor(v, dtype=dtype, requires_grad=True) for name, v in initial(case).items()}
    o = case["optimizer"]
    sgd = torch.optim.SGD(
        p.values(), lr=float32(o["learningRate"]), momentum=float32(o["momentum"]), nesterov=o["nesterov"]
    )
    losses, first = [], None
    for r in range(ROUNDS):
        rows = slice(r * case["batch"], (r + 1) * case["batch"])
        sgd.zero_grad()
        loss = loss_of(case, p, x[rows], y[rows])
        loss.backward()
        losses.append(loss.item())
        first = first or {name: v.grad.clone() for name, v in p.items()}
        sgd.step()
    with torch.no_grad():
        final = loss_of(case, p, x, y).item()
    return losses, final, first, {name: v.detach() for name, v in p.items()}


def check_momentum(case, trained):
    """Asserts that Keras's formulas for momentum give what torch's gave (float64, constant rate)."""
    x, y = (torch.tensor(v, dtype=torch.float64) for v in data_of(case))
    p = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in initial(case).items()}
    o = case["optimizer"]
    m, rate = float32(o["momentum"]), float32(o["learningRate"])
    velocity = {name: torch.zeros_like(v) for name, v in p.items()}
    for r in range(ROUNDS):
        rows = slice(r * case["batch"], (r + 1) * case["batch"])
        grads = torch.autograd.grad(loss_of(case, p, x[rows], y[rows]), list(p.values()))
        with torch.no_grad():
            for (name, w), g in zip(p.items(), grads):
                velocity[name] = m * velocity[name] - rate * g
                w += m * velocity[name] - rate * g if o["nesterov"] else velocity[name]
    for name in p:
        difference = (p[name] - trained[name]).abs().max().item()
        assert difference < 1e-13, f"{case['name']} {name}: Keras's and torch's momentum differ by {difference}"


def summary(x, values):
    """Sum and sum of squares in float64 and, if asked for, every stride-th value as base64 of little-endian float64."""
    wide = x.detach().double().reshape(-1)
    result = {"sum": wide.sum().item(), "sumOfSquares": (wide * wide).sum().item()}
    if values:
        stride = 17 if len(wide) > CHECKED else 1
        result["stride"] = stride
        result["float64"] = base64.b64encode(wide[::stride].numpy().astype("<f8").tobytes()).decode()
    return result


def record(case):
    """The case with everything that a run of it gives."""
    losses, final, first, weights = train(case, torch.float64)
    losses32, final32, _, weights32 = train(case, torch.float32)
    check_momentum(case, weights)
    off = max(abs(a - b) for a, b in zip(losses, losses32))
    print(f"{case['name']}: loss {losses[0]:.6f} -> {losses[-1]:.6f}, all rows {final:.6f}; float32 off by {off:.1e}")
    assert final < losses[0], f"{case['name']} does not learn"
    x, y = data_of(case)
    start = initial(case)
    return {
        **case,
        "rounds": ROUNDS,
        "losses64": losses,
        "losses32": losses32,
        "finalLoss64": final,
        "finalLoss32": final32,
        "x": formulas.fingerprint(x),
        "y": formulas.fingerprint(y),
        "tensors": [
            {
                "name": name,
                "initial": formulas.fingerprint(start[name]),
                "firstGradient": summary(first[name], True),
                "final64": summary(weights[name], True),
                "final32": summary(weights32[name], False),
            }
            for name in start
        ],
    }


def net(name, inputs, layers, loss, rate, batch, data, momentum=0, nesterov=False):
    sizes = [{"units": units, "activation": activation} for units, activation in layers]
    optimizer = {"name": "sgd", "learningRate": rate, "momentum": momentum, "nesterov": nesterov}
    seed, x, y, classes = data
    return {
        "name": name,
        "inputs": inputs,
        "layers": sizes,
        "loss": loss,
        "optimizer": optimizer,
        "batch": batch,
        "data": {"seed": seed, "inputs": x, "targets": y, "classes": classes},
    }


def files():
    """File name -> its cases."""
    pictures = ("images", "oneHot", 10)
    chapter = [(64, "relu"), (64, "relu"), (10, "softmax")]
    tanh = [(32, "tanh"), (16, "tanh"), (3, "softmax")]
    shallow = [(64, "sigmoid"), (10, "softmax")]
    curve = [(16, "tanh"), (1, "linear")]
    points = (2, "clusters", "oneHot", 3)
    plane = (4, "clusters", "surface", 2)
    entropy, square, absolute = "categoricalCrossentropy", "meanSquaredError", "meanAbsoluteError"
    cases = {
        "train-intermediate": [net("intermediate", 784, chapter, entropy, 0.1, 128, (1, *pictures))],
        "train-tanh": [
            net("momentum", 20, tanh, entropy, 0.05, 50, points, 0.9),
            net("nesterov", 20, tanh, entropy, 0.05, 50, points, 0.9, True),
        ],
        "train-sigmoid": [
            net("shallow", 784, shallow, square, 0.01, 128, (3, *pictures)),
            net("shallow, fast", 784, shallow, square, 1, 128, (3, *pictures)),
            net("regression, squares", 8, curve, square, 0.1, 33, plane),
            net("regression, absolute", 8, curve, absolute, 0.05, 33, plane),
            net("binary", 8, [(16, "relu"), (1, "sigmoid")], "binaryCrossentropy", 0.1, 33, (5, "clusters", "label", 2)),
        ],
    }
    return {name: [record(case) for case in list_] for name, list_ in cases.items()}
