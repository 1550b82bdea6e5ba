# Writes the small data sets of src/data/sets from scikit-learn's copies (BSD-3; Debian: python3-sklearn), the Palmer penguins of the
# npm package vega-datasets (CC0) and the word lists of the npm package @scure/bip39 2.4.0 (MIT). For developers only:
#   python3 scripts/small-sets.py <sklearn/datasets/data> <penguins.json> <bip39/wordlists>
import csv
import gzip
import io
import json
import os
import sys
import unicodedata

OUT = os.path.join(os.path.dirname(__file__), "../src/data/sets")
SKLEARN, PENGUINS, WORDS = sys.argv[1:]


def text(name):
    path = os.path.join(SKLEARN, name)
    return (gzip.open(path, "rt") if name.endswith(".gz") else open(path)).read()


def write(name, head, rows, packed=False):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([head, *rows])
    path = os.path.join(OUT, name)
    if packed:
        with open(path + ".gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
            file.write(out.getvalue().encode())
    else:
        open(path, "w", encoding="utf8").write(out.getvalue())


def classified(file, name, head):
    """A file of scikit-learn's whose first line names the classes."""
    first, *lines = text(file).split()
    classes = first.split(",")[2:]
    rows = [line.split(",") for line in lines]
    write(name, head, [[*row[:-1], classes[int(row[-1])]] for row in rows])


def words():
    """Words of six languages without accents; those of more than one language are left out."""
    lists = {}
    for language in ["czech", "english", "french", "italian", "portuguese", "spanish"]:
        script = open(os.path.join(WORDS, f"{language}.js"), encoding="utf8").read()
        found = unicodedata.normalize("NFD", script.split("`")[1]).split()
        lists[language] = ["".join(c for c in word if not unicodedata.combining(c)) for word in found]
    seen = [word for found in lists.values() for word in set(found)]
    once = {word for word in seen if seen.count(word) == 1}
    return [[word, language] for language, found in lists.items() for word in found if word in once]


IRIS = ["sepalLength", "sepalWidth", "petalLength", "petalWidth", "species"]
WINE = ["alcohol", "malicAcid", "ash", "alcalinityOfAsh", "magnesium", "totalPhenols", "flavanoids", "nonflavanoidPhenols",
        "proanthocyanins", "colorIntensity", "hue", "od280od315", "proline", "cultivar"]
CELL = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concavePoints", "symmetry",
        "fractalDimension"]
CANCER = [f"{kind}{name[0].upper()}{name[1:]}" for kind in ("mean", "error", "worst") for name in CELL] + ["diagnosis"]

classified("iris.csv", "iris.csv", IRIS)
classified("wine_data.csv", "wine.csv", WINE)
classified("breast_cancer.csv", "breast-cancer.csv", CANCER)
digits = [[f"{float(v):g}" for v in line.split(",")] for line in text("digits.csv.gz").split()]
write("digits.csv", [f"pixel{k}" for k in range(64)] + ["digit"], digits, packed=True)
raw = [[f"{float(v):.10g}" for v in line.split()] for line in text("diabetes_data_raw.csv.gz").strip().split("\n")]
target = [f"{float(v):g}" for v in text("diabetes_target.csv.gz").split()]
write("diabetes.csv", ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "target"], [[*r, t] for r, t in zip(raw, target)])
keys = ["Island", "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)", "Sex", "Species"]
rows = [["" if row[k] in (None, ".") else (row[k].lower() if k == "Sex" else row[k]) for k in keys] for row in json.load(open(PENGUINS))]
write("penguins.csv", ["island", "billLength", "billDepth", "flipperLength", "bodyMass", "sex", "species"], rows)
write("words.csv", ["word", "language"], words(), packed=True)
