# Data and weights by integer formulas, bit for bit the same as in test/support/golden.ts. Knows no network.
import hashlib

import numpy as np


def mix(h):
    """The 32-bit finalizer of MurmurHash3 (public domain) of each uint32."""
    h = np.asarray(h, np.uint32)
    h = h ^ (h >> np.uint32(16))
    h = h * np.uint32(0x85EBCA6B)
    h = h ^ (h >> np.uint32(13))
    h = h * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def uniform(stream, k):
    """mix(stream * 0x9E3779B9 + k mod 2^32) / 2^32, a float64 in [0, 1)."""
    key = (stream * 0x9E3779B9 + np.asarray(k, np.int64)) % 2**32
    return mix(key).astype(np.float64) / 2**32


def labels(rows, classes):
    """Row i has class 7 i mod classes."""
    return np.arange(rows) * 7 % classes


def grid(rows, width):
    return np.arange(rows)[:, None] * width + np.arange(width)[None, :]


def images(seed, rows, width, classes):
    """Sparse pictures: a fifth of a class's pixels are inked in 3 of 4 of its rows, the others in 1 of 20 rows."""
    pattern = uniform(16 * seed, labels(rows, classes)[:, None] * width + np.arange(width)) < 0.2
    amount = np.floor(uniform(16 * seed + 1, grid(rows, width)) * 256) / 255
    chance = uniform(16 * seed + 2, grid(rows, width))
    return np.where(chance < np.where(pattern, 0.75, 0.05), amount, 0).astype(np.float32)


def clusters(seed, rows, width, classes):
    """Points of [-1, 1): half noise, half the centre of the row's class."""
    centre = uniform(16 * seed, labels(rows, classes)[:, None] * width + np.arange(width)) - 0.5
    noise = uniform(16 * seed + 1, grid(rows, width)) - 0.5
    return (noise + centre).astype(np.float32)


def surface(x):
    """Regression targets 0.5 x0 - 0.75 x1 x2 + 0.25 x3, [rows, 1], in float64 from left to right, then rounded."""
    x = x.astype(np.float64)
    return (0.5 * x[:, 0] - 0.75 * x[:, 1] * x[:, 2] + 0.25 * x[:, 3]).astype(np.float32)[:, None]


def kernel(stream, inputs, units):
    """(2u - 1) * sqrt(6 / (inputs + units)), Keras's layout [inputs, units]."""
    limit = np.sqrt(np.float64(6 / (inputs + units)))
    return ((2 * uniform(stream, grid(inputs, units)) - 1) * limit).astype(np.float32)


def bias(stream, units):
    """(2u - 1) * 0.05."""
    return ((2 * uniform(stream, np.arange(units)) - 1) * 0.05).astype(np.float32)


def fingerprint(x):
    """What the TypeScript side must reproduce exactly: sha256 of the little-endian bytes, sum from left to right, first values."""
    x = np.ascontiguousarray(x, np.float32)
    wide = x.reshape(-1).astype(np.float64)
    return {
        "shape": list(x.shape),
        "sha256": hashlib.sha256(x.astype("<f4").tobytes()).hexdigest(),
        "sum": float(np.cumsum(wide)[-1]),
        "first": [float(v) for v in wide[:5]],
    }
