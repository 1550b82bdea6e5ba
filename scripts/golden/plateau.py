# Learning rates that PyTorch's ReduceLROnPlateau gives after each of forty scripted values.
import math
import random

import torch


def rates(values, mode, factor, patience, threshold, cooldown, least):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode, factor, patience, threshold, "abs", cooldown, least, eps=0)
    found = []
    for value in values:
        scheduler.step(value)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def cases():
    draw = random.Random(8)
    found = []
    for i in range(24):
        mode = ["min", "max"][i % 2]
        sign = 1 if mode == "min" else -1
        values = [sign * (math.exp(-epoch / 6) + 0.15 * draw.random()) for epoch in range(40)]
        options = {
            "factor": [0.1, 0.5, 0.3][i % 3],
            "patience": i % 4,
            "threshold": [0, 1e-4, 0.05][i // 4 % 3],
            "cooldown": [0, 0, 1, 3][i // 2 % 4],
            "least": [0, 0.01, 0.2][i // 8],
        }
        found.append({"mode": mode, **options, "values": values, "rates": rates(values, mode, **options)})
    return found
