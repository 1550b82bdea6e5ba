# Makes the golden files of test/golden from PyTorch: trainings, losses, operations, learning rates (test/golden/README.md says what is in each).
# For developers only: the tests read the committed files and need no Python.
#
#   python3 scripts/golden/make.py test/golden
#
# Needs torch and numpy (Debian: apt-get install python3-torch python3-numpy, then /usr/bin/python3). Running it again gives
# the same bytes on the same machine; another BLAS may change the last digits of sums.
import json
import os
import sys

sys.dont_write_bytecode = True

import functions
import layers
import keras_losses
import keras_metrics
import losses
import numpy
import operations
import optimizers
import plateau
import recurrent
import torch
import trainings

ABOUT = "made by scripts/golden/make.py; see README.md"


def main(folder):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    os.makedirs(folder, exist_ok=True)
    files = {**trainings.files(), "losses": losses.cases(), "ops": operations.cases()}
    files |= {"keras-losses": keras_losses.cases(), "keras-metrics": keras_metrics.cases()}
    files |= {"functions": list(functions.cases()), "layers": [*layers.cases(), *recurrent.cases()]}
    files |= {"optimizers": list(optimizers.cases()), "schedules": list(optimizers.schedules())}
    files |= {"plateau": plateau.cases(), "recurrent": list(recurrent.trainings())}
    for name, cases in files.items():
        about = {"about": ABOUT, "torch": torch.__version__, "numpy": numpy.__version__}
        lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in cases)
        with open(os.path.join(folder, f"{name}.json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(about)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
        print(f"{name}.json: {len(cases)} cases")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 scripts/golden/make.py FOLDER")
    main(sys.argv[1])
