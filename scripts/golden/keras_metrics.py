# Accumulated metrics by Keras 3's formulas in numpy float64, over all rows at once. Knows no network.
import formulas
import numpy as np

EPS = 1e-7


def ratio(a, b):
    return np.divide(a, b, out=np.zeros_like(a, dtype=float), where=b != 0)


def hits(p, y, w, thresholds):
    """True and false positives and negatives at each threshold, all outputs together."""
    weight = np.repeat(w, p.size // len(p)) if w is not None else np.ones(p.size)
    p, yes = p.reshape(-1), y.reshape(-1) != 0
    said = p[None] > np.asarray(thresholds)[:, None]
    total = lambda which: (which * weight).sum(1)
    return total(said & yes), total(said & ~yes), total(~said & ~yes), total(~said & yes)


def one(x):
    return float(x[0]) if len(x) == 1 else x.tolist()


def listed(thresholds):
    return [0.5] if thresholds is None else list(np.atleast_1d(thresholds))


def narrowed(p, y, topK, classId):
    if topK is not None:
        order = np.argsort(-p, axis=-1, kind="stable")
        keep = np.zeros_like(p, dtype=bool)
        np.put_along_axis(keep, order[:, :topK], True, axis=-1)
        p = np.where(keep, p, -1e10)
    return (p, y) if classId is None else (p[:, [classId]], y[:, [classId]])


def precision(p, y, w, thresholds=None, topK=None, classId=None):
    p, y = narrowed(p, y, topK, classId)
    tp, fp, _, _ = hits(p, y, w, [-1e9] if thresholds is None and topK else listed(thresholds))
    return one(ratio(tp, tp + fp))


def recall(p, y, w, thresholds=None, topK=None, classId=None):
    p, y = narrowed(p, y, topK, classId)
    tp, _, _, fn = hits(p, y, w, [-1e9] if thresholds is None and topK else listed(thresholds))
    return one(ratio(tp, tp + fn))


def fbeta(p, y, w, beta=1.0, average=None, threshold=None):
    top = p.max(-1, keepdims=True)
    said = ((p >= top) & (np.abs(p) > 1e-9) if threshold is None else p > threshold).astype(float)
    w = np.ones(len(p)) if w is None else w
    axis = None if average == "micro" else 0
    total = lambda x: (x * w[:, None]).sum(axis)
    tp, fp, fn = total(said * y), total(said * (1 - y)), total((1 - said) * y)
    precise, found = tp / (tp + fp + EPS), tp / (tp + fn + EPS)
    score = (1 + beta**2) * precise * found / (beta**2 * precise + found + EPS)
    if average == "weighted":
        share = (y * w[:, None]).sum(0)
        return float((score * share / (share.sum() + EPS)).sum())
    return score.tolist() if average is None else float(score if average == "micro" else score.mean())


def auc(p, y, w, numThresholds=200, curve="ROC", summationMethod="interpolation", fromLogits=False):
    p = 1 / (1 + np.exp(-p)) if fromLogits else p
    inner = [(i + 1) / (numThresholds - 1) for i in range(numThresholds - 2)]
    tp, fp, tn, fn = hits(p, y, w, [-EPS, *np.asarray(inner, np.float32).astype(float), 1 + EPS])
    if curve == "PR" and summationMethod == "interpolation":
        dtp, both = tp[:-1] - tp[1:], tp + fp
        slope = ratio(dtp, np.maximum(both[:-1] - both[1:], 0))
        intercept = tp[1:] - slope * both[1:]
        safe = (both[:-1] > 0) & (both[1:] > 0)
        grown = np.where(safe, ratio(both[:-1], np.maximum(both[1:], 0)), 1)
        return float(ratio(slope * (dtp + intercept * np.log(np.where(safe, grown, 1))), np.maximum(tp[1:] + fn[1:], 0)).sum())
    found = ratio(tp, tp + fn)
    x, h = (ratio(fp, fp + tn), found) if curve == "ROC" else (found, ratio(tp, tp + fp))
    pairs = {"interpolation": (h[:-1] + h[1:]) / 2, "minoring": np.minimum(h[:-1], h[1:]), "majoring": np.maximum(h[:-1], h[1:])}
    return float(((x[:-1] - x[1:]) * pairs[summationMethod]).sum())


def matrix(p, y, w, threshold=0.5):
    says = (lambda x, t: (x[:, 0] > t).astype(int)) if p.shape[1] == 1 else (lambda x, t: x.argmax(1))
    k = max(2, p.shape[1])
    out = np.zeros((k, k))
    for i, (a, b) in enumerate(zip(says(y, 0.5), says(p, threshold))):
        out[a, b] += 1 if w is None else w[i]
    return out


def per_class(p, y, w, threshold=0.5):
    m = matrix(p, y, w, threshold)
    return (np.diag(m) / m.sum(1)).tolist()


def rmse(p, y, w):
    each = ((p - y) ** 2).mean(1)
    return float(np.sqrt(np.average(each, weights=w)))


def r2(p, y, w, classAggregation="uniformAverage", numRegressors=0):
    w = np.ones(len(p)) if w is None else w
    v = w[:, None]
    total = (y * y * v).sum(0) - (y * v).sum(0) ** 2 / w.sum()
    raw = 1 - ((y - p) ** 2 * v).sum(0) / total
    if classAggregation is None:
        return raw.tolist()
    score = raw.mean() if classAggregation == "uniformAverage" else (total * raw).sum() / total.sum()
    n = len(p)
    return float(score if numRegressors == 0 else 1 - (1 - score) * (n - 1) / (n - numRegressors - 1))


METRICS = {
    "truePositives": lambda p, y, w, thresholds=None: one(hits(p, y, w, listed(thresholds))[0]),
    "falsePositives": lambda p, y, w, thresholds=None: one(hits(p, y, w, listed(thresholds))[1]),
    "trueNegatives": lambda p, y, w, thresholds=None: one(hits(p, y, w, listed(thresholds))[2]),
    "falseNegatives": lambda p, y, w, thresholds=None: one(hits(p, y, w, listed(thresholds))[3]),
    "precision": precision,
    "recall": recall,
    "fBetaScore": fbeta,
    "f1Score": fbeta,
    "auc": auc,
    "confusionMatrix": lambda p, y, w, **o: matrix(p, y, w, **o).tolist(),
    "perClassAccuracy": per_class,
    "rootMeanSquaredError": rmse,
    "r2Score": r2,
}


def best(of, given, name):
    """The largest of one rate where another reaches a value, over evenly spaced thresholds."""
    def metric(p, y, w, numThresholds=200, classId=None, **least):
        p, y = narrowed(p, y, None, classId)
        at = [0.5] if numThresholds == 1 else np.asarray(np.arange(numThresholds, dtype=np.float32) / np.float32(numThresholds - 1), float)
        counts = hits(p, y, w, at)
        values, feasible = of(*counts), given(*counts) >= least[name]
        return float(values[feasible].max()) if feasible.any() else 0.0

    return metric


SENSITIVITY = lambda tp, fp, tn, fn: ratio(tp, tp + fn)
SPECIFICITY = lambda tp, fp, tn, fn: ratio(tn, tn + fp)
PRECISION = lambda tp, fp, tn, fn: ratio(tp, tp + fp)
METRICS |= {
    "sensitivityAtSpecificity": best(SENSITIVITY, SPECIFICITY, "specificity"),
    "specificityAtSensitivity": best(SPECIFICITY, SENSITIVITY, "sensitivity"),
    "precisionAtRecall": best(PRECISION, SENSITIVITY, "recall"),
    "recallAtPrecision": best(SENSITIVITY, PRECISION, "precision"),
}


def mean_iou(p, y, w, **o):
    m = matrix(p, y, w, **o)
    union = m.sum(0) + m.sum(1) - np.diag(m)
    return float((np.diag(m)[union > 0] / union[union > 0]).mean())


METRICS["meanIoU"] = mean_iou


def held(x):
    return np.asarray(x, np.float32).astype(float)


def numbers(x):
    return {"shape": list(x.shape), "values": x.reshape(-1).tolist()}


def case(metric, options, p, y, w=None):
    p, y, w = held(p), held(y), None if w is None else held(w)
    weights = None if w is None else w.tolist()
    found = {"predictions": numbers(p), "targets": numbers(y), "weights": weights, "result": METRICS[metric](p, y, w, **options)}
    return {"metric": metric, "options": options, **found}


def uniform(stream, *shape):
    return formulas.uniform(stream, np.arange(int(np.prod(shape)))).reshape(shape)


def cases():
    p, bits = uniform(3000, 23, 1), (uniform(3001, 23, 1) > 0.4).astype(float)
    raw, w = uniform(3002, 23, 4), np.floor(uniform(3003, 23) * 8) / 4
    a, hot = raw / raw.sum(1, keepdims=True), np.eye(4)[(uniform(3004, 23) * 4).astype(int)]
    values, truth = 2 * uniform(3005, 23, 3) - 1, 2 * uniform(3006, 23, 3) - 1
    truth = truth + values
    out = []
    for weights in (None, w):
        for metric in ("truePositives", "falsePositives", "trueNegatives", "falseNegatives", "precision", "recall"):
            out += [case(metric, {}, p, bits, weights), case(metric, {"thresholds": [0.25, 0.75]}, a, hot, weights)]
        for metric in ("precision", "recall"):
            out += [case(metric, {"topK": 2}, a, hot, weights), case(metric, {"classId": 2, "thresholds": 0.3}, a, hot, weights)]
        for average in (None, "micro", "macro", "weighted"):
            out += [case("f1Score", {"average": average}, a, hot, weights)]
            out += [case("fBetaScore", {"average": average, "beta": 2.0, "threshold": 0.3}, a, hot, weights)]
        for curve in ("ROC", "PR"):
            for method in ("interpolation", "minoring", "majoring"):
                out += [case("auc", {"curve": curve, "summationMethod": method}, p, bits, weights)]
        out += [case("auc", {"numThresholds": 7, "fromLogits": True}, 6 * p - 3, bits, weights)]
        for metric, name in (("sensitivityAtSpecificity", "specificity"), ("specificityAtSensitivity", "sensitivity"), ("precisionAtRecall", "recall"), ("recallAtPrecision", "precision")):
            out += [case(metric, {name: 0.5}, p, bits, weights), case(metric, {name: 0.7, "numThresholds": 11, "classId": 1}, a, hot, weights)]
        for metric in ("confusionMatrix", "perClassAccuracy", "meanIoU"):
            out += [case(metric, {}, a, hot, weights), case(metric, {"threshold": 0.3}, p, bits, weights)]
        out += [case("rootMeanSquaredError", {}, values, truth, weights)]
        for aggregation in (None, "uniformAverage", "varianceWeightedAverage"):
            out += [case("r2Score", {"classAggregation": aggregation}, values, truth, weights)]
        out += [case("r2Score", {"numRegressors": 4}, values, truth, weights)]
    return out
