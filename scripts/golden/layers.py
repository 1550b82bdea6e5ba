# Layers in float64: what they give in training and when asked, slopes of inputs and parameters, and what they keep. Torch's own
# where it has them, else Keras 3's documented formulas.
import torch
import torch.nn.functional as F
from losses import draw, numbers, rounded
import windows


def moments(x, axes):
    mean = x.mean(axes, keepdim=True)
    return mean, ((x - mean) ** 2).mean(axes, keepdim=True)


def batch_norm(x, p, axis, epsilon):
    axes = [i for i in range(x.dim()) if i != axis]
    shape = [n if i == axis else 1 for i, n in enumerate(x.shape)]
    mean, var = moments(x, axes)
    y = (x - mean) / torch.sqrt(var + epsilon)
    y = y * p["gamma"].reshape(shape) if "gamma" in p else y
    return y + p["beta"].reshape(shape) if "beta" in p else y


def batch_case(name, options, shape, axis, momentum=0.99, epsilon=1e-3, params=("gamma", "beta")):
    n = shape[axis]
    values = {k: rounded(draw(3201 + i, n) + (1.5 if k == "gamma" else 0)) for i, k in enumerate(params)}
    state = {"movingMean": rounded(draw(3211, n)), "movingVariance": rounded(draw(3212, n) + 1.5)}
    x = rounded(2 * draw(3200, *shape))
    axes = [i for i in range(len(shape)) if i != axis]
    mean, var = moments(x, axes)
    kept = {
        "movingMean": momentum * state["movingMean"] + (1 - momentum) * mean.reshape(n),
        "movingVariance": momentum * state["movingVariance"] + (1 - momentum) * var.reshape(n),
    }
    form = [s if i == axis else 1 for i, s in enumerate(shape)]

    def asked(x, p):
        y = (x - state["movingMean"].reshape(form)) / torch.sqrt(state["movingVariance"].reshape(form) + epsilon)
        y = y * p["gamma"].reshape(form) if "gamma" in p else y
        return y + p["beta"].reshape(form) if "beta" in p else y

    return case(name, "BatchNormalization", options, [x], values, lambda x, p: batch_norm(x, p, axis, epsilon), state, kept, asked)


def case(name, type_, options, inputs, parameters, function, state=None, kept=None, asked=None):
    xs = [x.clone().requires_grad_() for x in inputs]
    ps = {k: v.clone().requires_grad_() for k, v in parameters.items()}
    y = function(*xs, ps)
    weights = rounded(draw(3300, *y.shape))
    (y * weights).sum().backward()
    return {
        "name": name,
        "type": type_,
        "options": options,
        "inputs": [numbers(x) for x in xs],
        "parameters": {k: numbers(v) for k, v in ps.items()},
        "state": {k: numbers(v) for k, v in (state or {}).items()},
        "trained": numbers(y),
        "asked": numbers((asked or function)(*xs, ps)),
        "weights": numbers(weights),
        "slopes": [numbers(x.grad if x.grad is not None else torch.zeros_like(x)) for x in xs],
        "parameterSlopes": {k: numbers(v.grad) for k, v in ps.items()},
        "kept": {k: numbers(v) for k, v in (kept or {}).items()},
    }


def group_norm(x, p, groups, epsilon):
    """Channels last, as torch's with channels first."""
    first = x.movedim(-1, 1)
    return F.group_norm(first, groups, p["gamma"], p["beta"], epsilon).movedim(1, -1)


def l2(x, axis):
    return x / torch.sqrt(torch.clamp((x * x).sum(axis, keepdim=True), min=1e-12))


def cases():
    yield from windows.cases(case)
    yield from windows.attention_cases(case)
    a, b, c = (rounded(1.5 * draw(3400 + i, 5, 6)) for i in range(3))
    images = rounded(draw(3410, 3, 4, 2, 6))
    affine = {"gamma": rounded(draw(3420, 6) + 1.5), "beta": rounded(draw(3421, 6))}
    yield batch_case("batch normalization", {}, [5, 6], 1)
    yield batch_case("batch normalization of images, momentum 0.8", {"momentum": 0.8, "epsilon": 0.01}, [3, 4, 2, 6], 3, 0.8, 0.01)
    yield batch_case("batch normalization along axis 1", {"axis": 1, "scale": False}, [3, 4, 5], 1, params=("beta",))
    norm = lambda x, p: F.layer_norm(x, [6], p["gamma"], p["beta"], 1e-3)
    yield case("layer normalization", "LayerNormalization", {}, [a], affine, norm)
    yield case("layer normalization of images", "LayerNormalization", {}, [images], affine, norm)
    two = {"gamma": rounded(draw(3422, 2, 6) + 1.5), "beta": rounded(draw(3423, 2, 6))}
    both = lambda x, p: F.layer_norm(x, [2, 6], p["gamma"], p["beta"], 1e-3)
    yield case("layer normalization over two axes", "LayerNormalization", {"axis": [2, 3]}, [images], two, both)
    bare = lambda x, p: F.layer_norm(x, [6], None, None, 0.1)
    yield case("layer normalization, bare", "LayerNormalization", {"center": False, "scale": False, "epsilon": 0.1}, [a], {}, bare)
    for groups in (1, 2, 3, 6):
        group = lambda x, p: group_norm(x, p, groups, 1e-3)
        yield case(f"{groups} groups", "GroupNormalization", {"groups": groups}, [images], affine, group)
    yield case("unit normalization", "UnitNormalization", {}, [images], {}, lambda x, p: l2(x, -1))
    yield case("unit normalization over two axes", "UnitNormalization", {"axis": [1, 2]}, [images], {}, lambda x, p: l2(x, (1, 2)))
    rms = lambda x, p: x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * p["scale"]
    yield case("rms normalization", "RMSNormalization", {}, [a], {"scale": rounded(draw(3424, 6) + 1.5)}, rms)
    slopes = {"alpha": rounded(draw(3425, 4, 2, 6))}
    prelu = lambda x, p: torch.where(x <= 0, x * p["alpha"], x)
    yield case("prelu", "PReLU", {}, [images], slopes, prelu)
    yield case("prelu, shared", "PReLU", {"sharedAxes": [1, 2]}, [images], {"alpha": rounded(draw(3426, 1, 1, 6))}, prelu)
    places = rounded([[0, 3, 1], [2, 2, 0], [3, 1, 1], [0, 0, 0], [1, 2, 3]])
    table = {"embeddings": rounded(draw(3450, 4, 2))}
    yield case("embedding", "Embedding", {"inputDim": 4, "outputDim": 2}, [places], table, lambda x, p: F.embedding(x.long(), p["embeddings"]))
    known = {"mean": [0, 1, -1, 0.5, 2, 0.25], "variance": [1, 4, 0.25, 2, 1, 9]}
    to_zero = lambda x, p: (x - torch.tensor(known["mean"])) / torch.sqrt(torch.tensor(known["variance"], dtype=x.dtype))
    yield case("normalization", "Normalization", known, [a], {}, to_zero)
    yield case("relu", "ReLU", {"maxValue": 0.5, "negativeSlope": 0.1}, [a], {}, lambda x, p: torch.clamp(F.leaky_relu(x, 0.1), max=0.5))
    yield case("leaky relu", "LeakyReLU", {}, [a], {}, lambda x, p: F.leaky_relu(x, 0.3))
    yield case("elu", "ELU", {"alpha": 0.5}, [a], {}, lambda x, p: F.elu(x, 0.5))
    yield case("softmax along axis 2", "Softmax", {"axis": 2}, [images], {}, lambda x, p: torch.softmax(x, 2))
    yield case("permute", "Permute", {"dims": [3, 1, 2]}, [images], {}, lambda x, p: x.permute(0, 3, 1, 2))
    yield case("repeat vector", "RepeatVector", {"n": 3}, [a], {}, lambda x, p: x.unsqueeze(1).repeat(1, 3, 1))
    yield case("identity", "Identity", {}, [a], {}, lambda x, p: x * 1)
    yield case("add", "Add", {}, [a, b, c], {}, lambda a, b, c, p: a + b + c)
    yield case("subtract", "Subtract", {}, [a, b], {}, lambda a, b, p: a - b)
    yield case("multiply", "Multiply", {}, [a, b, c], {}, lambda a, b, c, p: a * b * c)
    yield case("average", "Average", {}, [a, b, c], {}, lambda a, b, c, p: (a + b + c) / 3)
    yield case("maximum", "Maximum", {}, [a, b, c], {}, lambda a, b, c, p: torch.maximum(torch.maximum(a, b), c))
    yield case("minimum", "Minimum", {}, [a, b, c], {}, lambda a, b, c, p: torch.minimum(torch.minimum(a, b), c))
    yield case("concatenate", "Concatenate", {}, [a, b, c], {}, lambda a, b, c, p: torch.cat([a, b, c], 1))
    other = rounded(draw(3411, 3, 1, 2, 6))
    yield case("concatenate along axis 1", "Concatenate", {"axis": 1}, [images, other], {}, lambda a, b, p: torch.cat([a, b], 1))
    m, n = rounded(draw(3430, 3, 4, 5)), rounded(draw(3431, 3, 2, 5))
    yield case("dot", "Dot", {"axes": 2}, [m, n], {}, lambda m, n, p: m @ n.transpose(1, 2))
    yield case("dot, two axes", "Dot", {"axes": [1, 2]}, [m.transpose(1, 2).clone(), n], {}, lambda m, n, p: m.transpose(1, 2) @ n.transpose(1, 2))
    cosine = lambda a, b, p: (l2(a, 1) * l2(b, 1)).sum(1, keepdim=True)
    yield case("cosine", "Dot", {"axes": 1, "normalize": True}, [a, b], {}, cosine)
    steps, places = rounded(draw(3460, 3, 4, 2)), rounded(draw(3461, 2, 3, 4, 2))
    front = lambda f, x: f(x.movedim(-1, 1)).movedim(1, -1)
    gaps = steps.clone()
    gaps[0, 1] = gaps[1, 3] = gaps[2] = 0.5
    gaps[1, 1, 0] = 0.5
    held = {"layer": {"type": "Dense", "name": "dense", "config": {"units": 3, "activation": "tanh"}}}
    small = {"dense/kernel": rounded(draw(3442, 2, 3)), "dense/bias": rounded(draw(3443, 3))}
    yield case("time distributed", "TimeDistributed", held, [steps], small, lambda x, p: torch.tanh(x @ p["dense/kernel"] + p["dense/bias"]))
    yield case("masking", "Masking", {"maskValue": 0.5}, [gaps], {}, lambda x, p: x * (x != 0.5).any(-1, keepdim=True))
    yield case("zero padding of steps", "ZeroPadding1D", {"padding": [2, 1]}, [steps], {}, lambda x, p: F.pad(x, (0, 0, 2, 1)))
    yield case("zero padding", "ZeroPadding2D", {"padding": [[1, 0], [2, 3]]}, [places], {}, lambda x, p: F.pad(x, (0, 0, 2, 3, 1, 0)))
    yield case("zero padding, channels first", "ZeroPadding2D", {"padding": [1, 2], "dataFormat": "channelsFirst"}, [places], {}, lambda x, p: F.pad(x, (2, 2, 1, 1)))
    yield case("cropping of steps", "Cropping1D", {"cropping": [2, 1]}, [steps], {}, lambda x, p: x[:, 2:3])
    yield case("cropping", "Cropping2D", {"cropping": [[1, 0], [2, 1]]}, [places], {}, lambda x, p: x[:, 1:, 2:3])
    yield case("up-sampling of steps", "UpSampling1D", {"size": 3}, [steps], {}, lambda x, p: x.repeat_interleave(3, 1))
    nearest = lambda x, p: front(lambda y: F.interpolate(y, scale_factor=(2, 3), mode="nearest"), x)
    yield case("up-sampling", "UpSampling2D", {"size": [2, 3]}, [places], {}, nearest)
    for rows, columns in ((2, 2), (3, 4), (1, 5)):
        smooth = lambda x, p: front(lambda y: F.interpolate(y, scale_factor=(rows, columns), mode="bilinear", align_corners=False), x)
        yield case(f"up-sampling, bilinear, {rows} times {columns}", "UpSampling2D", {"size": [rows, columns], "interpolation": "bilinear"}, [places], {}, smooth)
    yield case("largest step", "GlobalMaxPooling1D", {}, [steps], {}, lambda x, p: x.amax(1))
    yield case("mean step, kept", "GlobalAveragePooling1D", {"keepdims": True}, [steps], {}, lambda x, p: x.mean(1, keepdim=True))
    yield case("largest pixel", "GlobalMaxPooling2D", {}, [places], {}, lambda x, p: x.amax((1, 2)))
    largest = lambda x, p: x.amax((2, 3), keepdim=True)
    yield case("largest pixel, channels first", "GlobalMaxPooling2D", {"dataFormat": "channelsFirst", "keepdims": True}, [places], {}, largest)
    yield case("mean pixel", "GlobalAveragePooling2D", {}, [places], {}, lambda x, p: x.mean((1, 2)))
    dense = {"kernel": rounded(draw(3440, 6, 4)), "bias": rounded(draw(3441, 4))}
    yield case("dense", "Dense", {"units": 4, "activation": "gelu"}, [a], dense, lambda x, p: F.gelu(x @ p["kernel"] + p["bias"]))
    yield case("activation", "Activation", {"activation": "silu"}, [a], {}, lambda x, p: F.silu(x))
    yield case("flatten", "Flatten", {}, [images], {}, lambda x, p: x.reshape(3, 48))
    yield case("reshape", "Reshape", {"targetShape": [-1, 8]}, [images], {}, lambda x, p: x.reshape(3, 6, 8))
    yield case("rescaling", "Rescaling", {"scale": 0.5, "offset": 2}, [a], {}, lambda x, p: x * 0.5 + 2)
    yield case("activity regularization", "ActivityRegularization", {"l1": 0.1}, [a], {}, lambda x, p: x * 1)
