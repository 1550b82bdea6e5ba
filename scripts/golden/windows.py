# Convolutions and pooling in float64, channels last as in Keras. Padding "same" and the sizes of transposed convolutions by Keras's
# formulas, since torch has others; the sums are torch's.
import torch
import torch.nn.functional as F
from losses import draw, rounded


def first(x):
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def pairs(v, n):
    return [v] * n if isinstance(v, int) else list(v)


def same(n, span, stride):
    total = max(0, (-(-n // stride) - 1) * stride + span - n)
    return total // 2, total - total // 2


def padded(x, padding, size, strides, dilations, value=0.0):
    """x has channels first."""
    around = []
    for d in reversed(range(len(size))):
        span = (size[d] - 1) * dilations[d] + 1
        edges = {"valid": (0, 0), "causal": (span - 1, 0), "same": same(x.shape[2 + d], span, strides[d])}[padding]
        around += list(edges)
    return F.pad(x, around, value=value)


def conv(x, w, padding="valid", strides=1, dilations=1, groups=1):
    """w is [...size, channels / groups, filters]."""
    places = x.dim() - 2
    strides, dilations = pairs(strides, places), pairs(dilations, places)
    kernel = w.permute(places + 1, places, *range(places))
    x = padded(first(x), padding, w.shape[:places], strides, dilations)
    f = F.conv1d if places == 1 else F.conv2d
    return last(f(x, kernel, stride=strides, dilation=dilations, groups=groups))


def depthwise(x, w, **options):
    """w is [...size, channels, multiplier]."""
    *size, channels, multiplier = w.shape
    return conv(x, w.reshape(*size, 1, channels * multiplier), groups=channels, **options)


def conv_transpose(x, w, padding, strides, extra=None):
    """w is [...size, filters, channels]."""
    places = x.dim() - 2
    strides = pairs(strides, places)
    kernel = w.permute(places + 1, places, *range(places))
    f = F.conv_transpose1d if places == 1 else F.conv_transpose2d
    y = f(first(x), kernel, stride=strides)
    for d in range(places):
        n, k, s = x.shape[1 + d], w.shape[d], strides[d]
        full = (n - 1) * s + k
        if padding == "valid":
            wanted, cut = (n * s + max(k - s, 0), 0) if extra is None else (full + extra, 0)
        elif extra is None:
            wanted = n * s
            cut = max(full - wanted, 0) // 2
        else:
            wanted, cut = full - 2 * (k // 2) + extra, k // 2
        beyond = max(0, cut + wanted - full)
        around = [0, 0] * (places - 1 - d) + [0, beyond]
        y = F.pad(y, around).narrow(2 + d, cut, wanted)
    return last(y)


def pool(x, kind, size, strides=None, padding="valid"):
    places = x.dim() - 2
    size = pairs(size, places)
    strides = size if strides is None else pairs(strides, places)
    ones = [1] * places
    x = first(x)
    if kind == "max":
        f = F.max_pool1d if places == 1 else F.max_pool2d
        return last(f(padded(x, padding, size, strides, ones, float("-inf")), size, strides))
    f = F.avg_pool1d if places == 1 else F.avg_pool2d
    total = f(padded(x, padding, size, strides, ones), size, strides)
    counts = f(padded(torch.ones_like(x), padding, size, strides, ones), size, strides)
    return last(total / counts)


def cases(case):
    steps, images = rounded(draw(3700, 2, 7, 2)), rounded(draw(3701, 1, 6, 5, 2))
    w1, w2 = rounded(draw(3702, 3, 2, 3)), rounded(draw(3703, 3, 2, 2, 4))
    b3, b4 = rounded(draw(3704, 3)), rounded(draw(3705, 4))
    for padding in ("valid", "same", "causal"):
        for strides, dilation in ((1, 1), (2, 1), (1, 2)):
            options = {"filters": 3, "kernelSize": 3, "padding": padding, "strides": strides, "dilationRate": dilation}
            f = lambda x, p: torch.tanh(conv(x, p["kernel"], padding, strides, dilation) + p["bias"])
            name = f"convolution of steps, {padding}, step {strides}, gaps {dilation}"
            yield case(name, "Conv1D", {**options, "activation": "tanh"}, [steps], {"kernel": w1, "bias": b3}, f)
    for padding in ("valid", "same"):
        for strides, dilation in (([1, 1], [1, 1]), ([2, 3], [1, 1]), ([1, 1], [2, 3])):
            options = {"filters": 4, "kernelSize": [3, 2], "padding": padding, "strides": strides, "dilationRate": dilation}
            f = lambda x, p: conv(x, p["kernel"], padding, strides, dilation) + p["bias"]
            yield case(f"convolution, {padding}, steps {strides}, gaps {dilation}", "Conv2D", options, [images], {"kernel": w2, "bias": b4}, f)
    grouped = rounded(draw(3706, 3, 2, 1, 4))
    options = {"filters": 4, "kernelSize": [3, 2], "groups": 2, "useBias": False}
    yield case("convolution in two groups", "Conv2D", options, [images], {"kernel": grouped}, lambda x, p: conv(x, p["kernel"], groups=2))
    d1, d2 = rounded(draw(3707, 3, 2, 2)), rounded(draw(3708, 3, 2, 2, 2))
    twice = rounded(draw(3709, 4))
    f = lambda x, p: depthwise(x, p["kernel"], padding="same") + p["bias"]
    yield case("depthwise, steps", "DepthwiseConv1D", {"kernelSize": 3, "depthMultiplier": 2, "padding": "same"}, [steps], {"kernel": d1, "bias": twice}, f)
    f = lambda x, p: depthwise(x, p["kernel"], strides=2) + p["bias"]
    yield case("depthwise", "DepthwiseConv2D", {"kernelSize": [3, 2], "depthMultiplier": 2, "strides": 2}, [images], {"kernel": d2, "bias": twice}, f)
    point1, point2 = rounded(draw(3710, 1, 4, 3)), rounded(draw(3711, 1, 1, 4, 4))
    f = lambda x, p: conv(depthwise(x, p["depthwiseKernel"], padding="causal"), p["pointwiseKernel"]) + p["bias"]
    options = {"filters": 3, "kernelSize": 3, "depthMultiplier": 2, "padding": "causal"}
    yield case("separable, steps", "SeparableConv1D", options, [steps], {"depthwiseKernel": d1, "pointwiseKernel": point1, "bias": b3}, f)
    f = lambda x, p: conv(depthwise(x, p["depthwiseKernel"], padding="same"), p["pointwiseKernel"]) + p["bias"]
    options = {"filters": 4, "kernelSize": [3, 2], "depthMultiplier": 2, "padding": "same"}
    yield case("separable", "SeparableConv2D", options, [images], {"depthwiseKernel": d2, "pointwiseKernel": point2, "bias": b4}, f)
    t1, t2 = rounded(draw(3712, 3, 3, 2)), rounded(draw(3713, 3, 2, 4, 2))
    for padding in ("valid", "same"):
        for strides, extra in ((1, None), (2, None), (4, None), (2, 1)):
            f = lambda x, p: conv_transpose(x, p["kernel"], padding, strides, extra) + p["bias"]
            options = {"filters": 3, "kernelSize": 3, "strides": strides, "padding": padding, "outputPadding": extra}
            yield case(f"transposed, steps, {padding}, step {strides}, {extra} more", "Conv1DTranspose", options, [steps], {"kernel": t1, "bias": b3}, f)
    f = lambda x, p: conv_transpose(x, p["kernel"], "same", [2, 1]) + p["bias"]
    options = {"filters": 4, "kernelSize": [3, 2], "strides": [2, 1], "padding": "same"}
    yield case("transposed", "Conv2DTranspose", options, [images], {"kernel": t2, "bias": b4}, f)
    for kind, type_ in (("max", "MaxPooling"), ("avg", "AveragePooling")):
        for size, strides, padding in ((2, None, "valid"), (3, 2, "same"), (3, 1, "same"), (5, 3, "valid")):
            options = {"poolSize": size, "strides": strides, "padding": padding}
            f = lambda x, p: pool(x, kind, size, strides, padding)
            yield case(f"{kind} of steps, {size}, step {strides}, {padding}", f"{type_}1D", options, [steps], {}, f)
            yield case(f"{kind} of images, {size}, step {strides}, {padding}", f"{type_}2D", options, [images], {}, f)


def mixed(q, k, v, scores=None, causal=False):
    scores = q @ k.transpose(-1, -2) if scores is None else scores
    if causal:
        later = torch.ones(scores.shape[-2:]).triu(1).bool()
        scores = torch.where(later, scores - 1e9, scores)
    return torch.softmax(scores, -1) @ v


def attention_cases(case):
    q, v, k = rounded(draw(3750, 2, 3, 4)), rounded(draw(3751, 2, 5, 4)), rounded(draw(3752, 2, 5, 4))
    yield case("attention", "Attention", {}, [q, v], {}, lambda q, v, p: mixed(q, v, v))
    one = {"scale": rounded(torch.tensor(0.7))}
    yield case("attention, scaled, with keys", "Attention", {"useScale": True}, [q, v, k], one, lambda q, v, k, p: mixed(q * p["scale"], k, v))
    total = lambda q, k: torch.tanh(q.unsqueeze(2) + k.unsqueeze(1))
    weight = {"concatScoreWeight": rounded(torch.tensor(1.3))}
    f = lambda q, v, p: mixed(q, v, v, p["concatScoreWeight"] * total(q, v).sum(-1), True)
    yield case("attention, concat, causal", "Attention", {"scoreMode": "concat", "useCausalMask": True}, [q, v], weight, f)
    scale = {"scale": rounded(draw(3753, 4))}
    f = lambda q, v, k, p: mixed(q, k, v, (total(q, k) * p["scale"]).sum(-1))
    yield case("additive attention", "AdditiveAttention", {}, [q, v, k], scale, f)

    heads, size = 2, 3
    shapes = {"query": (4, heads, size), "key": (4, heads, size), "value": (4, heads, 5), "attentionOutput": (heads, 5, 6)}
    values = {}
    for i, (name, shape) in enumerate(shapes.items()):
        values[f"{name}/kernel"] = rounded(draw(3760 + i, *shape))
        values[f"{name}/bias"] = rounded(draw(3770 + i, *(shape[1:] if i < 3 else shape[2:])))

    def heads_of(q, v, k, p):
        part = lambda x, name: torch.einsum("btd,dhs->bhts", x, p[f"{name}/kernel"]) + p[f"{name}/bias"].unsqueeze(1)
        y = mixed(part(q, "query") / size**0.5, part(k, "key"), part(v, "value"), causal=True)
        return torch.einsum("bhts,hsd->btd", y, p["attentionOutput/kernel"]) + p["attentionOutput/bias"]

    options = {"numHeads": heads, "keyDim": size, "valueDim": 5, "outputShape": 6, "useCausalMask": True}
    yield case("attention of two heads", "MultiHeadAttention", options, [q, v, k], values, heads_of)
