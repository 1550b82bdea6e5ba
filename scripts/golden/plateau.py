#!/usr/bin/python3
"""Learning rates of PyTorch's ReduceLROnPlateau for scripted losses: python3 scripts/golden/plateau.py > test/golden/plateau.json

PyTorch lowers the rate after MORE than `patience` bad epochs and counts none of `cooldown` epochs; Keras after `patience` of
them, and counts the last epoch of a cooldown. So patience and cooldown (if any) of Keras are one more for the same rates.
"""
import json
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


draw = random.Random(8)
cases = []
for i in range(24):
    mode = ["min", "max"][i % 2]
    sign = 1 if mode == "min" else -1
    values = [sign * (math.exp(-epoch / 6) + 0.15 * draw.random()) for epoch in range(40)]
    options = {
        "factor": [0.1, 0.5, 0.3][i % 3], "patience": i % 4, "threshold": [0, 1e-4, 0.05][i // 4 % 3],
        "cooldown": [0, 0, 1, 3][i // 2 % 4], "least": [0, 0.01, 0.2][i // 8],
    }
    cases.append({"mode": mode, **options, "values": values, "rates": rates(values, mode, **options)})
lines = ",\n".join(json.dumps(case) for case in cases)
print(f'{{"torch": {json.dumps(torch.__version__)}, "cases": [\n{lines}\n]}}')
