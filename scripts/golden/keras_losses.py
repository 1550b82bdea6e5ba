# Every loss with its options by Keras 3's formulas, per row, and the gradient of the mean of the rows, in float64. Where torch
# has the same loss the two are compared here. Knows no network.
import formulas
import numpy as np
import torch
import torch.nn.functional as F
from losses import numbers, rounded

EPS = float(np.float32(1e-7))


def smoothed(y, by, classes):
    return y * (1 - by) + by / classes


def probabilities(p):
    return (p / p.sum(-1, keepdim=True)).clamp(EPS, float(np.float32(1 - 1e-7)))


def binary(y, p):
    p = p.clamp(EPS, float(np.float32(1 - 1e-7)))
    return -(y * p.log() + (1 - y) * (1 - p).log())


def binary_focal(p, y, alpha=0.25, gamma=2.0, applyClassBalancing=False, labelSmoothing=0, fromLogits=False):
    y = smoothed(y, labelSmoothing, 2)
    cross = F.binary_cross_entropy_with_logits(p, y, reduction="none") if fromLogits else binary(y, p)
    p = torch.sigmoid(p) if fromLogits else p
    focal = (1 - (y * p + (1 - y) * (1 - p))) ** gamma * cross
    return ((y * alpha + (1 - y) * (1 - alpha)) * focal if applyClassBalancing else focal).mean(1)


def categorical(p, fromLogits):
    return F.log_softmax(p, -1) if fromLogits else probabilities(p).log()


def categorical_focal(p, y, alpha=0.25, gamma=2.0, labelSmoothing=0, fromLogits=False):
    y = smoothed(y, labelSmoothing, p.shape[-1])
    log = categorical(p, fromLogits)
    weight = torch.tensor(alpha, dtype=torch.float64)
    return ((1 - log.exp()) ** gamma * weight * -y * log).sum(1)


def sparse(p, y, fromLogits=False, ignoreClass=None):
    y = y[..., 0].long()
    counts = torch.ones_like(y, dtype=torch.float64) if ignoreClass is None else (y != ignoreClass).double()
    safe = torch.where(counts > 0, y, torch.zeros_like(y))
    each = -categorical(p, fromLogits).gather(-1, safe.unsqueeze(-1))[..., 0]
    return each * counts * (1 if ignoreClass is None else counts.numel() / (counts.sum() + EPS))


def huber(p, y, delta=1.0):
    e = (p - y).abs()
    return torch.where(e <= delta, 0.5 * e**2, delta * e - 0.5 * delta**2).mean(1)


def signs(y):
    return torch.where(y == 0, -torch.ones_like(y), y)


def unit(x, axis):
    return x / (x * x).sum(axis, keepdim=True).sqrt().clamp_min(EPS)


def dice(p, y, axis=None):
    axis = list(range(1, p.dim())) if axis is None else axis
    each = 1 - 2 * (y * p).sum(axis) / (y.sum(axis) + p.sum(axis) + EPS)
    return each.reshape(p.shape[0], -1).mean(1)


def tversky(p, y, alpha=0.5, beta=0.5, axis=None):
    axis = list(range(1, p.dim())) if axis is None else axis
    common = (y * p).sum(axis)
    rest = alpha * ((1 - p) * y).sum(axis) + beta * (p * (1 - y)).sum(axis)
    return (1 - common / (common + rest + EPS)).reshape(p.shape[0], -1).mean(1)


ROWS = {
    "meanSquaredError": lambda p, y: ((p - y) ** 2).mean(1),
    "meanAbsoluteError": lambda p, y: (p - y).abs().mean(1),
    "meanAbsolutePercentageError": lambda p, y: 100 * ((y - p) / y.abs().clamp_min(EPS)).abs().mean(1),
    "meanSquaredLogarithmicError": lambda p, y: (
        ((p.clamp_min(EPS) + 1).log() - (y.clamp_min(EPS) + 1).log()) ** 2
    ).mean(1),
    "huber": huber,
    "logCosh": lambda p, y: (p - y).cosh().log().mean(1),
    "poisson": lambda p, y: (p - y * (p + EPS).log()).mean(1),
    "klDivergence": lambda p, y: (y.clamp(EPS, 1) * (y.clamp(EPS, 1) / p.clamp(EPS, 1)).log()).sum(1),
    "cosineSimilarity": lambda p, y, axis=-1: -(unit(p, axis) * unit(y, axis)).sum(axis).reshape(len(p), -1).mean(1),
    "binaryCrossentropy": lambda p, y, fromLogits=False, labelSmoothing=0: (
        F.binary_cross_entropy_with_logits(p, smoothed(y, labelSmoothing, 2), reduction="none")
        if fromLogits
        else binary(smoothed(y, labelSmoothing, 2), p)
    ).mean(1),
    "categoricalCrossentropy": lambda p, y, fromLogits=False, labelSmoothing=0: -(
        smoothed(y, labelSmoothing, p.shape[-1]) * categorical(p, fromLogits)
    ).sum(1),
    "sparseCategoricalCrossentropy": sparse,
    "binaryFocalCrossentropy": binary_focal,
    "categoricalFocalCrossentropy": categorical_focal,
    "hinge": lambda p, y: (1 - signs(y) * p).clamp_min(0).mean(1),
    "squaredHinge": lambda p, y: ((1 - signs(y) * p).clamp_min(0) ** 2).mean(1),
    "categoricalHinge": lambda p, y: (((1 - y) * p).max(1).values - (y * p).sum(1) + 1).clamp_min(0),
    "dice": dice,
    "tversky": tversky,
}


def agree(loss, options, p, y, rows):
    """Where torch has the loss: the same mean."""
    theirs = {
        "huber": lambda: F.huber_loss(p, y, delta=options.get("delta", 1.0)),
        "poisson": lambda: F.poisson_nll_loss(p, y, log_input=False, eps=EPS),
        "klDivergence": lambda: F.kl_div(p.log(), y, reduction="batchmean"),
        "cosineSimilarity": lambda: -F.cosine_similarity(p, y, options.get("axis", -1), EPS).mean(),
        "sparseCategoricalCrossentropy": lambda: F.cross_entropy(
            p, y[:, 0].long(), ignore_index=options.get("ignoreClass", -100)
        ),
        "categoricalCrossentropy": lambda: F.cross_entropy(p, y, label_smoothing=options.get("labelSmoothing", 0)),
    }
    if loss in theirs and (("Crossentropy" not in loss) or options.get("fromLogits")):
        assert abs(float(theirs[loss]() - rows.mean())) < 1e-5, (loss, options)


def case(loss, options, predictions, targets):
    p, y = rounded(predictions).requires_grad_(), rounded(targets)
    rows = ROWS[loss](p, y, **options)
    agree(loss, options, p, y, rows)
    rows.mean().backward()
    assert bool(torch.isfinite(p.grad).all()), loss
    found = {"predictions": numbers(p), "targets": numbers(y), "rows": numbers(rows), "gradient": numbers(p.grad)}
    return {"loss": loss, "options": options, **found}


def draw(stream, *shape):
    return 2 * formulas.uniform(stream, np.arange(int(np.prod(shape)))).reshape(shape) - 1


def cases():
    a, b = 2 * draw(2000, 7, 5), 2 * draw(2001, 7, 5)
    p, q, bits = 0.5 + 0.48 * draw(2002, 7, 5), 0.5 + 0.48 * draw(2003, 7, 5), (draw(2004, 7, 5) > 0).astype(float)
    z, labels = 3 * draw(2005, 6, 4), (np.arange(6) * 3 % 4)[:, None]
    hot, soft = np.eye(4)[labels[:, 0]], torch.softmax(rounded(2 * draw(2006, 6, 4)), 1).numpy()
    shares = torch.softmax(rounded(z), 1).numpy()
    some = labels.copy()
    some[[1, 4]] = -1
    masks, truth = 0.5 + 0.48 * draw(2007, 3, 4, 5, 2), (draw(2008, 3, 4, 5, 2) > 0.2).astype(float)
    sigma, gamma = {"fromLogits": True}, {"gamma": 1.5}
    out = [case(loss, {}, a, b) for loss in ("meanSquaredError", "meanAbsoluteError", "meanAbsolutePercentageError", "huber")]
    out += [case(loss, {}, a, b) for loss in ("logCosh", "cosineSimilarity")]
    out += [case("huber", {"delta": 0.5}, a, b), case("cosineSimilarity", {"axis": 1}, masks, truth)]
    out += [case(loss, {}, p, 3 * q) for loss in ("meanSquaredLogarithmicError", "poisson")]
    out += [case("klDivergence", {}, shares, soft), case("klDivergence", {}, shares, hot)]
    for options in ({}, {"labelSmoothing": 0.125}):
        out += [case("binaryCrossentropy", options, p, bits), case("binaryCrossentropy", {**options, **sigma}, a, q)]
        out += [case("categoricalCrossentropy", options, shares, hot)]
        out += [case("categoricalCrossentropy", {**options, **sigma}, z, soft)]
    for options in ({}, sigma):
        x = z if options else shares
        out += [case("sparseCategoricalCrossentropy", options, x, labels)]
        out += [case("sparseCategoricalCrossentropy", {**options, "ignoreClass": -1}, x, some)]
        for more in ({}, gamma, {"labelSmoothing": 0.25, "gamma": 3.0}):
            y = a if options else p
            out += [case("binaryFocalCrossentropy", {**options, **more}, y, bits)]
            out += [case("binaryFocalCrossentropy", {**options, **more, "alpha": 0.75, "applyClassBalancing": True}, y, q)]
            out += [case("categoricalFocalCrossentropy", {**options, **more}, x, hot)]
        out += [case("categoricalFocalCrossentropy", {**options, "alpha": [0.5, 0.25, 1.0, 0.75]}, x, soft)]
    for loss in ("hinge", "squaredHinge"):
        out += [case(loss, {}, a, bits), case(loss, {}, a, 2 * bits - 1)]
    out += [case("categoricalHinge", {}, z, hot)]
    out += [case("dice", {}, masks, truth), case("dice", {"axis": [1, 2]}, masks, truth), case("dice", {}, p, bits)]
    out += [case("tversky", {}, masks, truth), case("tversky", {"alpha": 0.25, "beta": 0.75, "axis": [1, 2]}, masks, truth)]
    return out
