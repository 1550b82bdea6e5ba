# The cross-validated scores of scikit-learn's multilayer perceptrons on the package's data sets, with which examples/iris.ts and
# examples/diabetes.ts are compared. For developers only: python3 scripts/golden/sklearn_mlp.py (Debian: python3-sklearn).
import json
import os
import warnings

import numpy as np
import sklearn
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
DATA = os.path.join(os.path.dirname(__file__), "../../src/data/sets")


def load(name):
    table = np.loadtxt(os.path.join(DATA, name), delimiter=",", skiprows=1, dtype=str)
    last = table[:, -1]
    return table[:, :-1].astype(float), np.unique(last, return_inverse=True)[1] if name == "iris.csv" else last.astype(float)


def scores(make, x, y, folds):
    """The mean over folds, for ten seeds of folds and weights."""
    means = [cross_val_score(make_pipeline(StandardScaler(), make(s)), x, y, cv=folds(s)).mean() for s in range(10)]
    return {"mean": float(np.mean(means)), "least": float(np.min(means)), "most": float(np.max(means))}


def main():
    x, y = load("iris.csv")
    iris = lambda s: MLPClassifier((16, 16), max_iter=500, random_state=s)
    folds = lambda s: StratifiedKFold(10, shuffle=True, random_state=s)
    a, b = load("diabetes.csv")
    diabetes = lambda s: MLPRegressor((16, 16), max_iter=500, alpha=0.1, random_state=s)
    five = lambda s: KFold(10, shuffle=True, random_state=s)
    result = {"sklearn": sklearn.__version__, "iris accuracy": scores(iris, x, y, folds), "diabetes R2": scores(diabetes, a, b, five)}
    print(json.dumps(result, indent=1))


main()
