# Primitive operations: outputs, and gradients of sum(output * weights), in float64. Ties of max and min are left out (torch splits them).
import numpy
import torch
from losses import draw, numbers, rounded


def case(name, op, function, inputs, attributes=None, gradients=True):
    """`gradients` says which inputs have one: all of them, or a list of booleans (null stands for the others)."""
    xs = [rounded(x) for x in inputs]
    wanted = [bool(gradients)] * len(xs) if isinstance(gradients, bool) else gradients
    for x, wants in zip(xs, wanted):
        x.requires_grad_(wants)
    y = function(*xs)
    weights = torch.round(16 * rounded(draw(2999, *y.shape))) / 16
    if any(wanted):
        (y * weights).sum().backward()
    grads = [numbers(x.grad) if wants else None for x, wants in zip(xs, wanted)]
    return {
        "name": name,
        "op": op,
        "attributes": attributes or {},
        "inputs": [numbers(x) for x in xs],
        "output": numbers(y),
        "weights": numbers(weights),
        "gradients": grads,
    }


def unary():
    ordinary, positive = 3 * draw(2000, 3, 13), 2.001 + 2 * draw(2001, 3, 13)
    with_zero = [0, -0.0, 1, -1, 0.5, -2.5, 7]
    far = [-100, -87, -20, -9.5, -1e-3, 1e-3, 9.5, 20, 87]
    tiny = [1e-30, 1e-7, 0.999999, 1, 1.000001, 12345.678, 1e30]
    table = [
        ("neg", torch.neg, ordinary, with_zero),
        ("abs", torch.abs, ordinary, with_zero),
        ("sqrt", torch.sqrt, positive, tiny),
        ("exp", torch.exp, ordinary, far[1:]),
        ("log", torch.log, positive, tiny),
        ("tanh", torch.tanh, ordinary, far),
        ("sigmoid", torch.sigmoid, ordinary, far),
        ("relu", torch.relu, ordinary, with_zero),
        ("expm1", torch.expm1, ordinary, far),
        ("log1p", torch.log1p, positive, tiny),
        ("erf", torch.erf, ordinary, [0, -0.0, 1e-30, 0.999, 1.001, -2.5, 5, -9]),
        ("sin", torch.sin, ordinary, [0, -0.0, 1e-30, 1.5, -3.25, 100, -9999.5]),
        ("cos", torch.cos, ordinary, [0, -0.0, 1e-30, 1.5, -3.25, 100, -9999.5]),
    ]
    for op, function, *inputs in table:
        for note, x in zip(("ordinary", "special"), inputs):
            yield case(f"{op}, {note}", op, function, [x])
    for note, x in (("ordinary", ordinary), ("special", [0, -0.0, 1, -1, 0.5, -0.5, 2.999, -3.001, 1e9])):
        yield case(f"floor, {note}", "floor", torch.floor, [x], None, False)
    halves = [0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.4999, 8388607.5, 1e9]
    for note, x in (("ordinary", ordinary), ("special", halves)):
        yield case(f"round, {note}", "round", torch.round, [x], None, False)


def binary():
    shapes = [([17], [17]), ([3, 5], [5]), ([5], [3, 5]), ([7, 1], [1, 3]), ([2, 3, 5], [3, 1]), ([], [7]), ([31, 1], [])]
    table = [("add", torch.add), ("sub", torch.sub), ("mul", torch.mul), ("div", torch.div), ("max", torch.maximum)]
    for op, function in [*table, ("min", torch.minimum)]:
        for i, (sa, sb) in enumerate(shapes):
            a, b = 2 * draw(2100 + i, *sa), 2 * draw(2200 + i, *sb)
            if op == "div":
                b = b + 2.5
            yield case(f"{op} {sa} {sb}", op, function, [a, b])
    few, others = [[-1, 0, 1], [2, 0, -2]], [[0, 0, 0], [2, -1, -2.5]]
    comparisons = [("less", torch.lt), ("lessEqual", torch.le), ("equal", torch.eq)]
    for op, function in comparisons:
        yield case(op, op, lambda a, b, f=function: f(a, b).double(), [few, others], None, False)
    for sa, sb in (([3, 5], [3, 5]), ([5], [3, 1])):
        c, a, b = (draw(2300, 3, 5) > 0).astype(float), draw(2301, *sa), draw(2302, *sb)
        choose = lambda c, a, b: torch.where(c != 0, a, b)
        yield case(f"where [3, 5] {sa} {sb}", "where", choose, [c, a, b], None, [False, True, True])


def folds():
    kinds = {"sum": lambda x, axis: x.sum(axis), "max": lambda x, axis: x.amax(axis), "min": lambda x, axis: x.amin(axis)}
    for kind, function in kinds.items():
        for shape in ([1], [13], [7, 5], [2, 3, 5], [33, 3]):
            for axis in range(len(shape)):
                fold = lambda x: function(x, axis)
                yield case(f"{kind} {shape} axis {axis}", "fold", fold, [3 * draw(2400, *shape)], {"fold": kind, "axis": axis})


def products():
    for m, k, n in ((5, 7, 3), (1, 13, 1), (17, 33, 31), (3, 1, 5)):
        for ta in (False, True):
            for tb in (False, True):
                if m * k * n > 1000 and ta != tb:
                    continue
                a, b = draw(2500, *((k, m) if ta else (m, k))), draw(2501, *((n, k) if tb else (k, n)))
                multiply = lambda a, b: (a.T if ta else a) @ (b.T if tb else b)
                name = f"matmul {m} {k} {n}{', A transposed' if ta else ''}{', B transposed' if tb else ''}"
                yield case(name, "matmul", multiply, [a, b], {"transposeA": ta, "transposeB": tb})


def rest():
    steep = [[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 9999, 9998], [100, -100, 99]]
    for op, function in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
        for x in (4 * draw(2600, 1), 4 * draw(2601, 13), 4 * draw(2602, 7, 10), 4 * draw(2603, 2, 3, 5), 60 * draw(2604, 3, 31)):
            yield case(f"{op} {list(x.shape)}", op, lambda x: function(x, -1), [x])
        yield case(f"{op}, extreme", op, lambda x: function(x, -1), [steep])
    for shape, order in (([3, 5], [1, 0]), ([2, 3, 5], [2, 0, 1]), ([2, 3, 5], [0, 2, 1])):
        x = draw(2700, *shape)
        yield case(f"transpose {shape} {order}", "transpose", lambda x: x.permute(order), [x], {"order": order})
    for shape, to in (([5], [3, 5]), ([3, 1], [3, 7]), ([], [2, 3]), ([2, 1, 5], [2, 3, 5])):
        x = draw(2701, *shape)
        yield case(f"broadcastTo {shape} {to}", "broadcastTo", lambda x: x.expand(to), [x], {"shape": to})


def moved():
    for shape, axis, begin, end in (([7], 0, 2, 5), ([3, 5], 1, 1, 5), ([5, 3], 0, 0, 2), ([2, 5, 3], 1, 3, 4)):
        part = lambda x: x.narrow(axis, begin, end - begin)
        attributes = {"axis": axis, "begin": begin, "end": end}
        yield case(f"slice {shape} {axis} {begin} {end}", "slice", part, [draw(2800, *shape)], attributes)
    for shapes, axis in (([[3], [1], [5]], 0), ([[3, 5], [3, 1]], 1), ([[2, 3, 1], [2, 4, 1]], 1), ([[1, 3], [2, 3]], 0)):
        parts = [draw(2810 + i, *shape) for i, shape in enumerate(shapes)]
        yield case(f"concat {shapes} {axis}", "concat", lambda *x: torch.cat(x, axis), parts, {"axis": axis})
    for rows, width, places in ((5, 3, [7]), (3, 1, [2, 4]), (4, 70, [9])):
        table, numbers = draw(2820, rows, width), numpy.floor(rows * (draw(2821, *places) + 1) / 2)
        name = f"lookup [{rows}, {width}] {places}"
        yield case(name, "lookup", lambda t, n: torch.nn.functional.embedding(n.long(), t), [table, numbers], None, [True, False])
        values = draw(2822, *places, width)
        add = lambda v, n: torch.zeros(rows, width).double().index_add(0, n.long().reshape(-1), v.reshape(-1, width))
        yield case(f"scatterAdd {places} [{rows}, {width}]", "scatterAdd", add, [values, numbers], {"rows": rows}, [True, False])


def cases():
    return [*unary(), *binary(), *folds(), *products(), *rest(), *moved()]
