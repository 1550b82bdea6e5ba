# Ten steps of every optimizer and the values of every schedule in float64, by Keras 3's documented formulas; where torch has
# the same rule, torch's ten steps must agree. Knows no network.
import math

import numpy as np
import torch
from losses import draw

STEPS = 10
W = np.float64(np.float32(1.5 * draw(4000, 3, 4)))
B = np.float64(np.float32(draw(4001, 4)))
GRADIENTS = [(np.float64(np.float32(draw(4100 + k, 3, 4))), np.float64(np.float32(draw(4200 + k, 4)))) for k in range(STEPS)]


def f32(x):
    return float(np.float32(x))


def rms(x):
    return math.sqrt((x * x).mean())


def sgd(w, g, s, lr, t, momentum=0.0, nesterov=False):
    if momentum == 0:
        return w - lr * g
    s["v"] = momentum * s.get("v", 0) - lr * g
    return w + (momentum * s["v"] - lr * g if nesterov else s["v"])


def adam(w, g, s, lr, t, beta1=0.9, beta2=0.999, epsilon=1e-7, amsgrad=False):
    m = s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - beta1)
    v = s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - beta2)
    alpha = lr * math.sqrt(1 - beta2**t) / (1 - beta1**t)
    if amsgrad:
        v = s["vhat"] = np.maximum(s.get("vhat", 0), v)
    return w - alpha * m / (np.sqrt(v) + epsilon)


def nadam(w, g, s, lr, t, beta1=0.9, beta2=0.999, epsilon=1e-7):
    u = beta1 * (1 - 0.5 * 0.96**t)
    u1 = beta1 * (1 - 0.5 * 0.96 ** (t + 1))
    s["product"] = s.get("product", 1) * u
    m = s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - beta1)
    v = s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - beta2)
    mean = u1 * m / (1 - s["product"] * u1) + (1 - u) * g / (1 - s["product"])
    return w - lr * mean / (np.sqrt(v / (1 - beta2**t)) + epsilon)


def adamax(w, g, s, lr, t, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - beta1)
    u = s["u"] = np.maximum(beta2 * s.get("u", 0), np.abs(g))
    return w - lr * m / ((1 - beta1**t) * (u + epsilon))


def lamb(w, g, s, lr, t, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - beta1)
    v = s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - beta2)
    r = (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
    a, b = np.sqrt((w * w).sum()), np.sqrt((r * r).sum())
    return w - lr * (a / b if a > 0 and b > 0 else 1) * r


def rmsprop(w, g, s, lr, t, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    v = s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
    if centered:
        s["mean"] = rho * s.get("mean", 0) + (1 - rho) * g
        v = v - s["mean"] ** 2
    step = lr * g / np.sqrt(v + epsilon)
    if momentum > 0:
        step = s["step"] = momentum * s.get("step", 0) + step
    return w - step


def adagrad(w, g, s, lr, t, initialAccumulatorValue=0.1, epsilon=1e-7):
    a = s["a"] = s.get("a", initialAccumulatorValue) + g * g
    return w - lr * g / np.sqrt(a + epsilon)


def adadelta(w, g, s, lr, t, rho=0.95, epsilon=1e-7):
    a = s["g"] = rho * s.get("g", 0) + (1 - rho) * g * g
    d = g * np.sqrt(s.get("d", 0) + epsilon) / np.sqrt(a + epsilon)
    s["d"] = rho * s.get("d", 0) + (1 - rho) * d * d
    return w - lr * d


def lion(w, g, s, lr, t, beta1=0.9, beta2=0.99):
    m = s.get("m", 0)
    s["m"] = beta2 * m + (1 - beta2) * g
    return w - lr * np.sign(beta1 * m + (1 - beta1) * g)


def ftrl(w, g, s, lr, t, learningRatePower=-0.5, initialAccumulatorValue=0.1, l1RegularizationStrength=0.0,
         l2RegularizationStrength=0.0, l2ShrinkageRegularizationStrength=0.0, beta=0.0):
    p = -learningRatePower
    l2 = l2RegularizationStrength + beta / (2 * lr)
    shrunk = g + 2 * l2ShrinkageRegularizationStrength * w
    old = s.get("n", initialAccumulatorValue + 0 * w)
    new = s["n"] = old + g * g
    z = s["z"] = s.get("z", 0) + shrunk - (new**p - old**p) / lr * w
    quadratic = new**p / lr + 2 * l2
    return (np.clip(z, -l1RegularizationStrength, l1RegularizationStrength) - z) / quadratic


def adafactor(w, g, s, lr, t, beta2Decay=-0.8, epsilon1=1e-30, epsilon2=1e-3, clipThreshold=1.0, relativeStep=True):
    rate = min(lr, 1 / math.sqrt(t)) if relativeStep else lr
    alpha = max(epsilon2, rms(w)) * rate
    squares = g * g + epsilon1
    beta2 = 1 - t**beta2Decay
    if w.ndim >= 2:
        r = s["r"] = beta2 * s.get("r", 0) + (1 - beta2) * squares.mean(-1)
        c = s["c"] = beta2 * s.get("c", 0) + (1 - beta2) * squares.mean(-2)
        v = (r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :]
    else:
        v = s["v"] = beta2 * s.get("v", 0) + (1 - beta2) * squares
    u = g / np.sqrt(v)
    return w - alpha * u / max(1, rms(u) / clipThreshold)


RULES = dict(sgd=sgd, adam=adam, adamW=adam, nadam=nadam, adamax=adamax, lamb=lamb, rmsprop=rmsprop, adagrad=adagrad,
             adadelta=adadelta, lion=lion, ftrl=ftrl, adafactor=adafactor)
RATES = {"sgd": 0.01}
COMMON = {"weightDecay", "excludeFromWeightDecay", "clipNorm", "clipValue", "globalClipNorm", "useEma", "emaMomentum",
          "emaOverwriteFrequency", "gradientAccumulationSteps", "groups", "learningRate"}


def limited(options, gradients):
    if "clipValue" in options:
        return [np.clip(g, -options["clipValue"], options["clipValue"]) for g in gradients]
    if "clipNorm" in options:
        return [g * options["clipNorm"] / max(np.sqrt((g * g).sum()), options["clipNorm"]) for g in gradients]
    if "globalClipNorm" in options:
        norm = math.sqrt(sum((g * g).sum() for g in gradients))
        return [g * options["globalClipNorm"] / max(norm, options["globalClipNorm"]) for g in gradients]
    return gradients


def run(type_, options):
    """Keras's order: accumulate, limit, decay, step, running mean, overwrite."""
    own = {k: v for k, v in options.items() if k not in COMMON}
    rate = options.get("learningRate", RATES.get(type_, 0.001))
    decay = options.get("weightDecay", 0.004 if type_ == "adamW" else 0) or 0
    every = options.get("gradientAccumulationSteps", 1)
    params, slots, means = [W.copy(), B.copy()], [{}, {}], [None, None]
    sums, trail = [0, 0], []
    for k, gradients in enumerate(GRADIENTS):
        sums = [a + g for a, g in zip(sums, gradients)]
        if (k + 1) % every == 0:
            step = k // every
            for i, g in enumerate(limited(options, [a / every for a in sums])):
                excluded = "bias" in options.get("excludeFromWeightDecay", []) and i == 1
                lr = rate
                wd = decay
                for group in options.get("groups", []):
                    if f"layer{i}" in group["layers"]:
                        lr, wd = group.get("learningRate", lr), group.get("weightDecay", wd)
                w = params[i] - params[i] * (0 if excluded else wd) * lr
                params[i] = RULES[type_](w, g, slots[i], lr, step + 1, **own)
                if options.get("useEma"):
                    mu = options.get("emaMomentum", 0.99)
                    means[i] = params[i] if step == 0 else mu * means[i] + (1 - mu) * params[i]
                    often = options.get("emaOverwriteFrequency")
                    if often and (step + 1) % often == 0:
                        params[i] = means[i]
            sums = [0, 0]
        trail.append([p.copy() for p in params])
    return trail, means


def torch_run(make):
    ps = [torch.tensor(W, requires_grad=True), torch.tensor(B, requires_grad=True)]
    optimizer = make(ps)
    for gradients in GRADIENTS:
        for p, g in zip(ps, gradients):
            p.grad = torch.tensor(g)
        optimizer.step()
    return [p.detach().numpy() for p in ps]


O = torch.optim
# (type, options, torch's optimizer where its rule is the same; epsilons that torch adds elsewhere are made negligible)
CASES = [
    ("sgd", {}, lambda p: O.SGD(p, 0.01)),
    ("sgd", {"learningRate": 0.1, "momentum": 0.9}, lambda p: O.SGD(p, 0.1, momentum=0.9)),
    ("sgd", {"learningRate": 0.1, "momentum": 0.9, "nesterov": True}, lambda p: O.SGD(p, 0.1, momentum=0.9, nesterov=True)),
    ("sgd", {"learningRate": 0.1, "weightDecay": 0.5, "excludeFromWeightDecay": ["bias"]}, None),
    ("sgd", {"learningRate": 0.1, "clipValue": 0.25}, None),
    ("sgd", {"learningRate": 0.1, "clipNorm": 0.5}, None),
    ("sgd", {"learningRate": 0.1, "globalClipNorm": 0.5, "momentum": 0.5}, None),
    ("sgd", {"learningRate": 0.1, "gradientAccumulationSteps": 3, "momentum": 0.5}, None),
    ("sgd", {"learningRate": 0.1, "useEma": True, "emaMomentum": 0.75, "emaOverwriteFrequency": 4}, None),
    ("adam", {"useEma": True, "emaMomentum": 0.5, "gradientAccumulationSteps": 2, "clipNorm": 1, "weightDecay": 0.1}, None),
    ("adam", {"learningRate": 0.01, "groups": [{"layers": ["layer1"], "learningRate": 0.1, "weightDecay": 0.2}]}, None),
    ("rmsprop", {}, None),
    ("rmsprop", {"learningRate": 0.01, "rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": 0.001}, None),
    ("rmsprop", {"epsilon": 1e-20}, lambda p: O.RMSprop(p, 0.001, alpha=0.9, eps=1e-10)),
    ("adam", {}, None),
    ("adam", {"epsilon": 1e-12}, lambda p: O.Adam(p, 0.001, eps=1e-12)),
    ("adam", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99, "amsgrad": True, "epsilon": 1e-12}, None),
    ("adamW", {"epsilon": 1e-12}, lambda p: O.AdamW(p, 0.001, weight_decay=0.004, eps=1e-12)),
    ("nadam", {}, None),  # torch 1.13 multiplies one factor twice into its product of the next step
    ("nadam", {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99}, None),
    ("adamax", {}, None),
    ("adamax", {"learningRate": 0.01, "epsilon": 1e-12}, lambda p: O.Adamax(p, 0.01, eps=1e-12)),
    ("adagrad", {}, None),
    ("adagrad", {"learningRate": 0.1, "initialAccumulatorValue": 0.5, "epsilon": 1e-20},
     lambda p: O.Adagrad(p, 0.1, initial_accumulator_value=0.5, eps=1e-12)),
    ("adadelta", {"learningRate": 1}, lambda p: O.Adadelta(p, 1, rho=0.95, eps=1e-7)),
    ("lion", {}, None),
    ("lion", {"learningRate": 0.01, "beta1": 0.5, "beta2": 0.7, "weightDecay": 0.1}, None),
    ("ftrl", {}, None),
    ("ftrl", {"learningRate": 0.1, "learningRatePower": -0.75, "l1RegularizationStrength": 0.1, "l2RegularizationStrength": 0.2,
              "l2ShrinkageRegularizationStrength": 0.05, "beta": 0.3}, None),
    ("lamb", {}, None),
    ("lamb", {"learningRate": 0.1, "beta1": 0.8}, None),
    ("adafactor", {}, None),
    ("adafactor", {"learningRate": 0.9, "clipThreshold": 0.5}, None),
    ("adafactor", {"learningRate": 0.1, "relativeStep": False, "beta2Decay": -0.5, "epsilon2": 2}, None),
]


def cases():
    for type_, options, make in CASES:
        trail, means = run(type_, options)
        if make is not None:
            for ours, theirs in zip(trail[-1], torch_run(make)):
                assert np.abs(ours - theirs).max() < 1e-9, (type_, options, np.abs(ours - theirs).max())
        flat = lambda arrays: [x.reshape(-1).tolist() for x in arrays]
        yield {
            "name": f"{type_} {options}" if options else type_,
            "type": type_,
            "options": options,
            "weights": flat([W, B]),
            "gradients": [flat(g) for g in GRADIENTS],
            "after": [flat(p) for p in trail],
            "means": [None if m is None else m.reshape(-1).tolist() for m in means],
        }


def cosine_restarts(step, lr, first, t_mul, m_mul, alpha):
    begin, length, factor = 0, first, 1.0
    while step >= begin + length:
        begin, length, factor = begin + length, length * t_mul, factor * m_mul
    return lr * ((1 - alpha) * 0.5 * factor * (1 + math.cos(math.pi * (step - begin) / length)) + alpha)


def cosine_decay(step, lr, n, alpha=0, target=None, warm=0):
    if target is None:
        target, warm = lr, 0
    if step < warm:
        return (target - lr) * step / warm + lr
    p = min(max((step - warm) / n, 0), 1)
    return target * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * p)) + alpha)


def polynomial(step, lr, n, end=0.0001, power=1, cycle=False):
    if cycle:
        n *= max(1, math.ceil(step / n))
    else:
        step = min(step, n)
    return (lr - end) * (1 - step / n) ** power + end


def one_cycle(total, **options):
    p = torch.nn.Parameter(torch.zeros(1))
    o = torch.optim.SGD([p], 0.1)
    s = torch.optim.lr_scheduler.OneCycleLR(o, total_steps=total, cycle_momentum=False, **options)
    rates = []
    for _ in range(total):
        rates.append(o.param_groups[0]["lr"])
        o.step()
        if len(rates) < total:
            s.step()
    return lambda step: rates[min(step, total - 1)]


def schedules():
    table = [
        ("exponentialDecay", dict(initialLearningRate=0.1, decaySteps=100, decayRate=0.5), lambda s: 0.1 * 0.5 ** (s / 100)),
        ("exponentialDecay", dict(initialLearningRate=0.1, decaySteps=100, decayRate=0.9, staircase=True), lambda s: 0.1 * 0.9 ** (s // 100)),
        ("inverseTimeDecay", dict(initialLearningRate=0.1, decaySteps=10, decayRate=0.5), lambda s: 0.1 / (1 + 0.5 * s / 10)),
        ("inverseTimeDecay", dict(initialLearningRate=0.1, decaySteps=10, decayRate=0.5, staircase=True), lambda s: 0.1 / (1 + 0.5 * (s // 10))),
        ("piecewiseConstantDecay", dict(boundaries=[10, 100], values=[1, 0.5, 0.1]), lambda s: 1 if s <= 10 else 0.5 if s <= 100 else 0.1),
        ("polynomialDecay", dict(initialLearningRate=0.1, decaySteps=100), lambda s: polynomial(s, 0.1, 100)),
        ("polynomialDecay", dict(initialLearningRate=0.1, decaySteps=100, endLearningRate=0.01, power=0.5, cycle=True), lambda s: polynomial(s, 0.1, 100, 0.01, 0.5, True)),
        ("polynomialDecay", dict(initialLearningRate=0.1, decaySteps=100, power=2.5), lambda s: polynomial(s, 0.1, 100, power=2.5)),
        ("cosineDecay", dict(initialLearningRate=0.1, decaySteps=100, alpha=0.1), lambda s: cosine_decay(s, 0.1, 100, 0.1)),
        ("cosineDecay", dict(initialLearningRate=0, decaySteps=100, warmupTarget=0.2, warmupSteps=10), lambda s: cosine_decay(s, 0, 100, 0, 0.2, 10)),
        ("cosineDecayRestarts", dict(initialLearningRate=0.1, firstDecaySteps=10), lambda s: cosine_restarts(s, 0.1, 10, 2, 1, 0)),
        ("cosineDecayRestarts", dict(initialLearningRate=0.1, firstDecaySteps=10, tMul=1, mMul=0.5, alpha=0.1), lambda s: cosine_restarts(s, 0.1, 10, 1, 0.5, 0.1)),
        ("cosineDecayRestarts", dict(initialLearningRate=0.1, firstDecaySteps=7, tMul=1.5, mMul=0.9), lambda s: cosine_restarts(s, 0.1, 7, 1.5, 0.9, 0)),
        ("oneCycle", dict(maxLearningRate=0.1, totalSteps=50), one_cycle(50, max_lr=0.1)),
        ("oneCycle", dict(maxLearningRate=0.5, totalSteps=101, pctStart=0.5, divFactor=10, finalDivFactor=100), one_cycle(101, max_lr=0.5, pct_start=0.5, div_factor=10, final_div_factor=100)),
        ("stepDecay", dict(initialLearningRate=0.1, stepSize=30), lambda s: 0.1 * 0.1 ** (s // 30)),
    ]
    steps = [0, 1, 2, 3, 6, 7, 9, 10, 11, 17, 18, 29, 30, 31, 49, 50, 69, 70, 99, 100, 101, 150, 199, 200, 201, 1000]
    for type_, options, rate in table:
        yield {"name": f"{type_} {options}", "type": type_, "options": options, "steps": steps, "rates": [rate(s) for s in steps]}
