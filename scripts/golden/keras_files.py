"""Model files written by Keras itself, with what the models predict and what one more step of training makes of them.

Run with Keras 3 on the JAX backend (pip install keras jax):  python scripts/golden/keras_files.py [name ...]
With names it writes only those. As "check", a folder of .keras files and a JSON file, it reads the files (written by us) and
writes what they predict.
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402

HERE = os.path.join(os.path.dirname(__file__), "../../test/golden/keras")
rng = np.random.default_rng(7)


def numbers(*shape):
    return np.round(rng.normal(size=shape), 3).astype("float32")


def chain():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            L.Dense(5, activation="relu", kernel_regularizer="l2", kernel_initializer=keras.initializers.HeNormal()),
            L.LeakyReLU(negative_slope=0.1),
            L.BatchNormalization(),
            L.Dropout(0.0),
            L.Dense(3, activation="softmax", kernel_constraint=keras.constraints.MaxNorm(2.0)),
        ],
        name="chain",
    )
    model.compile(keras.optimizers.Adam(0.01, amsgrad=True), "categorical_crossentropy", metrics=["accuracy", keras.metrics.AUC()])
    return model, [numbers(6, 4)], np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]


def graph():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = L.Dense(4, activation="tanh", name="shared")
    inner_in = keras.Input((8,), name="inner_in")
    inner = keras.Model(inner_in, L.Dense(3, name="inside")(L.Dense(2, name="first")(inner_in)), name="inner")
    tail = keras.Sequential([keras.Input((3,)), L.Dense(2, activation="sigmoid")], name="tail")
    joined = L.Concatenate()([L.Add()([shared(a), shared(b)]), a])
    deep = inner(joined)
    model = keras.Model({"a": a, "b": b}, {"kind": tail(deep), "size": L.Dense(1, name="linear")(deep)}, name="graph")
    model.compile(
        keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        {"kind": "binary_crossentropy", "size": "mse"},
        loss_weights={"kind": 1.0, "size": 0.5},
        metrics={"size": ["mae"]},
    )
    y = {"kind": np.float32([[0, 1], [1, 0], [1, 1], [0, 0]]), "size": numbers(4, 1)}
    return model, {"a": numbers(4, 4), "b": numbers(4, 4)}, y


def sampler():
    x = keras.Input((6, 4, 2), name="x")
    norm = L.Normalization()
    norm.adapt(numbers(8, 6, 4, 2))
    v = norm(x)
    v = L.ZeroPadding2D(((1, 0), (2, 1)))(v)
    v = L.UpSampling2D((2, 1))(v)
    v = L.Cropping2D(((1, 1), (0, 1)))(v)
    v = L.PReLU(alpha_initializer="he_normal", shared_axes=[1])(v)
    v = L.GroupNormalization(groups=2)(v)
    v = L.RMSNormalization()(v)
    v = L.Permute((2, 1, 3))(v)
    v = L.Reshape((-1, 4))(v)
    v = L.LayerNormalization()(v)
    v = L.TimeDistributed(L.Dense(3, activation="gelu", name="each"))(v)
    v = L.UnitNormalization()(v)
    v = L.Softmax(axis=1)(L.ELU(alpha=0.7)(L.Rescaling(2.0, offset=-0.5)(v)))
    v = L.GlobalAveragePooling1D()(v)
    v = L.ReLU(max_value=0.9, negative_slope=0.1, threshold=0.01)(L.Subtract()([v, L.Dense(3, use_bias=False)(v)]))
    v = L.Dot(axes=1, normalize=True)([v, L.Activation("silu")(v)])
    return keras.Model(x, v, name="sampler"), [numbers(3, 6, 4, 2)], None


def words():
    model = keras.Sequential(
        [keras.Input((5,)), L.Embedding(11, 3), L.SpatialDropout1D(0.0), L.Flatten(), L.Dense(1)], name="words"
    )
    return model, [np.float32([[0, 3, 10, 2, 2], [1, 1, 5, 7, 9]])], None


def both_ways():
    down = L.SimpleRNN(4, go_backwards=True, return_sequences=True, activation="relu", name="down")
    model = keras.Sequential(
        [
            keras.Input((5, 3)),
            L.Masking(),
            L.GRU(3, return_sequences=True, go_backwards=True),
            L.Bidirectional(L.LSTM(3, return_sequences=True, name="memory"), name="both"),
            L.Bidirectional(L.GRU(2, return_sequences=True, reset_after=False), merge_mode="mul", trainable=False),
            L.Bidirectional(L.GRU(4, return_sequences=True), backward_layer=down, merge_mode="ave"),
            L.GlobalMaxPooling1D(),
            L.Dense(1),
        ],
        name="both-ways",
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    rows = numbers(4, 5, 3)
    rows[1, 3:] = 0
    rows[2, :2] = 0
    return model, [rows], numbers(4, 1)


def windows():
    model = keras.Sequential(
        [
            keras.Input((9, 8, 4)),
            L.Conv2D(6, (3, 2), strides=2, padding="same", groups=2, activation="relu", bias_initializer="he_normal"),
            L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", depthwise_regularizer="l2"),
            L.MaxPooling2D(2, strides=1),
            L.SeparableConv2D(3, 2, padding="same", activation="tanh"),
            L.BatchNormalization(),
            L.Conv2DTranspose(4, (3, 2), strides=(2, 3), output_padding=1),
            L.AveragePooling2D((3, 2), padding="same"),
            L.GlobalMaxPooling2D(),
            L.Dense(2),
        ],
        name="windows",
    )
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, [numbers(3, 9, 8, 4)], numbers(3, 2)


def waves():
    model = keras.Sequential(
        [
            keras.Input((12, 3)),
            L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="gelu"),
            L.DepthwiseConv1D(2, padding="same"),
            L.SeparableConv1D(5, 3),
            L.MaxPooling1D(2, padding="same"),
            L.Conv1DTranspose(3, 3, strides=2, padding="same"),
            L.AveragePooling1D(3, strides=2),
            L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid", recurrent_initializer="he_uniform"),
            L.GRU(4, return_sequences=True, go_backwards=True, kernel_regularizer="l1"),
            L.GRU(3, return_sequences=True, reset_after=False, use_bias=False, recurrent_constraint="unit_norm"),
            L.SimpleRNN(2, activation="relu", unroll=False, bias_initializer="ones"),
        ],
        name="waves",
    )
    model.compile(keras.optimizers.RMSprop(0.01), "mse")
    return model, [numbers(3, 12, 3)], numbers(3, 2)


def attending():
    words = keras.Input((5,), name="words")
    rows = keras.Input((6, 4), name="rows")
    start = keras.Input((4,), name="start")
    known = L.Embedding(9, 4, mask_zero=True, name="known")(words)
    query = L.GRU(4, return_sequences=True)(L.Dropout(0.0)(known))
    value, hidden, cell = L.LSTM(4, return_sequences=True, return_state=True)(rows, initial_state=[start, start])
    heads = L.MultiHeadAttention(2, 3, dropout=0.0, name="heads")(query, value)
    own = L.MultiHeadAttention(2, 2, output_shape=4, use_bias=False)(value, value, key=rows, use_causal_mask=True)
    plain = L.Attention(use_scale=True)([heads, own])
    other = L.AdditiveAttention()([plain, value, value], use_causal_mask=True)
    counted = L.Masking(mask_value=-1.0)(rows)
    both = L.Bidirectional(L.SimpleRNN(4), name="both")(rows, initial_state=[hidden, cell])
    down = L.SimpleRNN(2, go_backwards=True)(counted)
    pooled = L.GlobalAveragePooling1D()(query)
    joined = L.Concatenate()([L.GlobalMaxPooling1D()(other), both, down, pooled, L.LayerNormalization()(cell)])
    model = keras.Model([words, rows, start], L.Dense(2)(joined), name="attending")
    model.compile(keras.optimizers.Adam(0.01), "mse")
    some = numbers(3, 6, 4)
    some[1, 4:] = -1
    chosen = np.float32([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8], [3, 0, 1, 2, 0]])
    return model, {"words": chosen, "rows": some, "start": numbers(3, 4)}, numbers(3, 2)


def trained_by(optimizer):
    def make():
        frozen = L.Dense(3, trainable=False)
        model = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh"), frozen, L.Dense(2)])
        model.compile(optimizer, "mse")
        return model, [numbers(5, 3)], numbers(5, 2)

    return make


O = keras.optimizers
optimizers = {
    "sgd": O.SGD(0.1, momentum=0.9, nesterov=True),
    "adam-w": O.AdamW(0.01, clipnorm=1.0),
    "nadam": O.Nadam(0.01),
    "adamax": O.Adamax(0.01),
    "adagrad": O.Adagrad(0.1),
    "adadelta": O.Adadelta(1.0),
    "lion": O.Lion(0.01),
    "ftrl": O.Ftrl(0.1),
    "lamb": O.Lamb(0.01),
    "adafactor": O.Adafactor(0.1),
    "adam-ema": O.Adam(0.01, use_ema=True, gradient_accumulation_steps=2),
    "schedule": O.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.5),
}
models = {"chain": chain, "graph": graph, "sampler": sampler, "words": words, "both-ways": both_ways}
models.update({"windows": windows, "waves": waves, "attending": attending})
models.update({f"optimizer-{name}": trained_by(o) for name, o in optimizers.items()})


def plain(value):
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    value = np.asarray(value, dtype="float64")
    return {"shape": list(value.shape), "data": [float(np.float32(v)) for v in value.ravel()]}


def write(names):
    global rng
    path = os.path.join(HERE, "expected.json")
    with open(path) as source:
        found = json.load(source)["models"]
    for name in names or models:
        keras.utils.set_random_seed(7)
        rng = np.random.default_rng(7)
        model, x, y = models[name]()
        single = x[0] if isinstance(x, list) else x
        if y is not None:
            for _ in range(3):
                model.train_on_batch(single, y)
        model.save(os.path.join(HERE, f"{name}.keras"))
        if name in ("chain", "graph", "words", "both-ways", "windows", "waves", "attending"):
            model.save(os.path.join(HERE, f"{name}.h5"))
        if name == "chain":
            model.save_weights(os.path.join(HERE, "chain.weights.h5"))
        entry = {"x": plain(single), "predicted": plain(model.predict(single, verbose=0))}
        if y is not None:
            model.train_on_batch(single, y)
            entry["y"] = plain(y)
            entry["after"] = [plain(w) for w in model.get_weights()]
        found[name] = entry
    with open(path, "w") as out:
        json.dump({"keras": keras.__version__, "models": found}, out)


def check(folder, answers):
    """Reads our files; `inputs.json` beside them says what they are asked. `after` is the weights after one more step."""
    with open(os.path.join(folder, "inputs.json")) as source:
        asked = json.load(source)
    found = {}

    def array(t):
        return {k: array(v) for k, v in t.items()} if "data" not in t else np.float32(t["data"]).reshape(t["shape"])

    for name, given in asked.items():
        model = keras.models.load_model(os.path.join(folder, f"{name}.keras"))
        x = [array(t) for t in given["x"]]
        entry = {"predicted": plain(model.predict(x if len(x) > 1 else x[0], verbose=0))}
        if "y" in given:
            model.train_on_batch(x[0], array(given["y"]))
            entry["after"] = [plain(w) for w in model.get_weights()]
        found[name] = entry
    with open(answers, "w") as out:
        json.dump(found, out)


if sys.argv[1:2] == ["check"]:
    check(*sys.argv[2:])
else:
    write(sys.argv[1:])
