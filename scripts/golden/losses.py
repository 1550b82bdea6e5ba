# Losses per row, their mean, and the gradient of the mean, in float64. Knows no network.
import formulas
import numpy as np
import torch
import torch.nn.functional as F
from torch.special import xlog1py, xlogy

# Row by row, as Keras and the textbook define them: without clipping, and without making probabilities sum to 1.
ROWS = {
    ("meanSquaredError", False): lambda p, y: ((y - p) ** 2).mean(1),
    ("meanAbsoluteError", False): lambda p, y: (y - p).abs().mean(1),
    ("binaryCrossentropy", False): lambda p, y: -(xlogy(y, p) + xlog1py(1 - y, -p)).mean(1),
    ("binaryCrossentropy", True): lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none").mean(1),
    ("categoricalCrossentropy", False): lambda p, y: -xlogy(y, p).sum(1),
    ("categoricalCrossentropy", True): lambda z, y: -(y * F.log_softmax(z, 1)).sum(1),
    ("sparseCategoricalCrossentropy", False): lambda p, y: F.nll_loss(p.log(), y.long()[:, 0], reduction="none"),
    ("sparseCategoricalCrossentropy", True): lambda z, y: F.cross_entropy(z, y.long()[:, 0], reduction="none"),
}


def rounded(x):
    """float32 numbers held as float64: what both precisions can start from."""
    return torch.tensor(np.asarray(x, np.float32), dtype=torch.float64)


def numbers(t):
    """The shape and the values; what JSON cannot hold (Infinity) as text."""
    flat = t.detach().reshape(-1).tolist()
    return {"shape": list(t.shape), "values": [v if np.isfinite(v) else str(v).replace("inf", "Infinity") for v in flat]}


def draw(stream, *shape):
    """Numbers of [-1, 1)."""
    return 2 * formulas.uniform(stream, np.arange(int(np.prod(shape)))).reshape(shape) - 1


def case(name, loss, logits, predictions, targets, gradient=True):
    p, y = rounded(predictions).requires_grad_(), rounded(targets)
    rows = ROWS[loss, logits](p, y)
    mean = rows.mean()
    mean.backward()
    result = {
        "name": name,
        "loss": loss,
        "fromLogits": logits,
        "predictions": numbers(p),
        "targets": numbers(y),
        "rows": numbers(rows),
        "mean": numbers(mean)["values"][0],
    }
    if gradient:
        assert bool(torch.isfinite(p.grad).all()), name
        result["gradient"] = numbers(p.grad)
    return result


def cases():
    square, absolute, binary = "meanSquaredError", "meanAbsoluteError", "binaryCrossentropy"
    categorical, sparse = "categoricalCrossentropy", "sparseCategoricalCrossentropy"
    values, truth = draw(1000, 7, 5) * 3, draw(1001, 7, 5)
    values[2, 3] = truth[2, 3]
    values[4] = truth[4]
    column = np.array([[1, 0.9997], [1, 0.9], [1, 0.6], [1, 0.1192], [0, 0.1192], [1, 1 - 0.1192]])
    p, bits = 0.5 + 0.499 * draw(1002, 9, 3), (draw(1003, 9, 3) > 0).astype(float)
    soft_bits = 0.5 + 0.5 * draw(1004, 9, 3)
    z, classes = 4 * draw(1005, 11, 10), np.arange(11) * 7 % 10
    hot = np.eye(10)[classes]
    softmax = torch.softmax(rounded(z), 1).numpy()
    soft = torch.softmax(rounded(3 * draw(1006, 11, 10)), 1).numpy()
    label = classes[:, None]
    wild = np.array([1e4, -1e4, 0, 50, -50, 1e-3, -1e-3, 1e4])[:, None]
    wild_bits = np.array([1, 0, 1, 0, 1, 1, 0, 0])[:, None]
    steep = np.array([[1e4, -1e4, 0], [1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [1e4, 9999, 9998], [100, -100, 99]])
    steep_class = np.array([0, 1, 2, 0, 1, 2])
    steep_soft = np.array([[0.5, 0.25, 0.25]] * 6)
    return [
        case("values, some of them right", square, False, values, truth),
        case("one output, the book's pairs", square, False, column[:, 1:], column[:, :1]),
        case("a softmax's output, one-hot targets", square, False, softmax, hot),
        case("values, some of them right", absolute, False, values, truth),
        case("probabilities", binary, False, p, bits),
        case("probabilities, soft targets", binary, False, p, soft_bits),
        case("one output, the book's pairs", binary, False, column[:, 1:], column[:, :1]),
        case("certain and right, certain and wrong", binary, False, [[1], [0], [0], [1]], [[1], [0], [1], [0]], False),
        case("logits", binary, True, 3 * draw(1007, 9, 3), bits),
        case("logits, soft targets", binary, True, 3 * draw(1007, 9, 3), soft_bits),
        case("extreme logits", binary, True, wild, wild_bits),
        case("probabilities", categorical, False, softmax, hot),
        case("probabilities, soft targets", categorical, False, softmax, soft),
        case("certain and right, certain and wrong", categorical, False, [[1, 0], [1, 0]], [[1, 0], [0, 1]], False),
        case("logits", categorical, True, z, hot),
        case("logits, soft targets", categorical, True, z, soft),
        case("extreme logits", categorical, True, steep, np.eye(3)[steep_class]),
        case("extreme logits, soft targets", categorical, True, steep, steep_soft),
        case("probabilities", sparse, False, softmax, label),
        case("logits", sparse, True, z, label),
        case("extreme logits", sparse, True, steep, steep_class[:, None]),
    ]
