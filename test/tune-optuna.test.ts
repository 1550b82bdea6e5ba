// Studies shared with Python's Optuna (Debian: python3-optuna; .ci/run installs it; without it these tests fail and say so).
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { choice, logUniform, tune, uniform, whole } from "../src/tune.ts"

const folder = mkdtempSync(join(tmpdir(), "trilobite-optuna-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const space = {
  rate: logUniform(1e-4, 1),
  share: uniform(0, 0.5),
  layers: whole(1, 4),
  units: whole(16, 256, { log: true }),
  kind: choice(["relu", "tanh", null]),
}
const cost = ({ rate, layers }: { rate: number; layers: number }): number =>
  Math.abs(Math.log10(rate) + 2) + layers / 10

/** Runs Python with Optuna on a study; its last line is JSON. */
function python(study: string, program: string): unknown {
  const begin = `
import json, sys, warnings
warnings.simplefilter("ignore")
import optuna
from optuna.storages import JournalStorage, JournalFileStorage
optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileStorage(sys.argv[1]))
def suggest(trial):
    rate = trial.suggest_float("rate", 1e-4, 1, log=True)
    trial.suggest_float("share", 0, 0.5)
    layers = trial.suggest_int("layers", 1, 4)
    trial.suggest_int("units", 16, 256, log=True)
    trial.suggest_categorical("kind", ["relu", "tanh", None])
    return rate, layers
`
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-c", begin + program, study], { encoding: "utf8" })
  if (/No module named 'optuna'/.test(stderr)) {
    throw new Error(
      "Optuna is not installed, so nothing shows that it reads our studies: apt-get install python3-optuna",
    )
  }
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
  return JSON.parse(stdout.trimEnd().split("\n").at(-1)!)
}

test("Optuna lists the trials of our study and goes on with it; we go on with Optuna's", async () => {
  const study = join(folder, "ours.jsonl")
  const control = new AbortController()
  const { trials } = await tune(
    (values, run) => {
      if (run.number === 3) return Number.NaN
      if (run.number === 6) control.abort()
      run.report(1, 10 + run.number)
      run.note("told", "yes")
      return cost(values)
    },
    space,
    { study, trials: 8, seed: 2, signal: control.signal, pruner: (_, { number }) => number === 4 },
  )
  const listed = python(
    study,
    `
study = optuna.load_study(study_name="trilobite", storage=storage)
print(json.dumps([[t.number, t.state.name, t.params, t.value, t.intermediate_values, t.user_attrs] for t in study.trials]))
`,
  ) as [number, string, object, number | null, object, object][]
  expect(listed.map(([number, state]) => [number, state])).toEqual([
    [0, "COMPLETE"],
    [1, "COMPLETE"],
    [2, "COMPLETE"],
    [3, "FAIL"],
    [4, "PRUNED"],
    [5, "COMPLETE"],
    [6, "FAIL"],
    [7, "WAITING"],
  ])
  for (const [number, , params, value, reports, notes] of listed.slice(0, 3)) {
    expect(params).toEqual(trials[number]!.values)
    expect(value).toBe(trials[number]!.value)
    expect(reports).toEqual({ 1: 10 + number })
    expect(notes).toEqual({ told: "yes" })
  }
  // What was measured of the trial that was interrupted is known of the one that waits.
  expect(listed[7]![4]).toEqual({ 1: 16 })
  const gone = python(
    study,
    `
study = optuna.load_study(study_name="trilobite", storage=storage, sampler=optuna.samplers.TPESampler(seed=1, n_startup_trials=2))
def objective(trial):
    rate, layers = suggest(trial)
    trial.report(float("nan"), 1)
    trial.report(0.5, 2)
    return rate + layers
study.optimize(objective, n_trials=5)
study.set_user_attr("by", "optuna")
print(json.dumps([[t.state.name, t.params, t.value] for t in study.trials[7:]]))
`,
  ) as [string, Record<string, unknown>, number][]
  // The trial that waited is the first that Optuna tries, with the values that we wanted.
  expect(gone).toHaveLength(5)
  expect(gone.every(([state]) => state === "COMPLETE")).toBe(true)
  expect(gone[0]![1]).toEqual(trials[6]!.values)
  const ours = await tune(cost, space, { study, trials: 14, seed: 2 })
  expect(ours.trials.slice(7, 12).map(({ values, value }) => ["COMPLETE", values, value])).toEqual(gone)
  expect(ours.trials[8]!.reports).toEqual([{ step: 2, value: 0.5 }])
  expect(ours.trials.filter(({ state }) => state === "complete")).toHaveLength(12)
})

test("we go on with a study that Optuna began, beside others in its file", async () => {
  const study = join(folder, "theirs.jsonl")
  python(
    study,
    `
other = optuna.create_study(study_name="other", storage=storage)
study = optuna.create_study(study_name="mine", storage=storage, direction="maximize")
def objective(trial):
    rate, layers = suggest(trial)
    if trial.number == 2:
        raise optuna.TrialPruned()
    return float(layers)
other.optimize(objective, n_trials=2)
study.enqueue_trial({"rate": 0.01, "share": 0.25, "layers": 3, "units": 32, "kind": None})
study.optimize(objective, n_trials=4)
study.enqueue_trial({"rate": 0.1, "share": 0.125, "layers": 4, "units": 64, "kind": "tanh"})
print("null")
`,
  )
  const seen: unknown[] = []
  const objective = (values: { layers: number }): number => {
    seen.push(values)
    return values.layers
  }
  const { trials } = await tune(objective, space, { study, name: "mine", direction: "maximize", trials: 6 })
  expect(trials.map(({ state }) => state)).toEqual([
    "complete",
    "complete",
    "pruned",
    "complete",
    "complete",
    "complete",
  ])
  expect(trials[0]!.values).toEqual({ rate: 0.01, share: 0.25, layers: 3, units: 32, kind: null })
  expect(seen[0]).toEqual({ rate: 0.1, share: 0.125, layers: 4, units: 64, kind: "tanh" })
  const counts = python(
    study,
    `print(json.dumps([len(optuna.load_study(study_name=n, storage=storage).trials) for n in ("other", "mine")]))`,
  )
  expect(counts).toEqual([2, 6])
})
