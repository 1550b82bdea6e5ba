// The settings of the playground as a TypeScript program for the library, which trains the same network to the same bits.

import { makeData, type Points } from "./data.ts"
import { outputsOf, roundsOf } from "./net.ts"
import { costOf, type FeatureName, type Settings, scheduleEpochs } from "./settings.ts"

const featureCode: { readonly [F in FeatureName]: string } = {
  x1: "x1",
  x2: "x2",
  x1sq: "x1 * x1",
  x2sq: "x2 * x2",
  x1x2: "x1 * x2",
  sin1: "Math.sin(x1)",
  sin2: "Math.sin(x2)",
}

const number = (value: number): string => String(Number(value.toPrecision(12)))

function pointsCode({ x, y }: Points): string {
  const rows = Array.from(
    y,
    (of, i) => `[${[x[2 * i]!, x[2 * i + 1]!, of].map((v) => number(Number(v.toFixed(3)))).join(", ")}]`,
  )
  const lines: string[] = []
  for (let i = 0; i < rows.length; i += 5) lines.push(`  ${rows.slice(i, i + 5).join(", ")},`)
  return `[\n${lines.join("\n")}\n]`
}

/** A learning rate as code, and the function that it needs. */
function rateCode({ rate, schedule, batch }: Settings, rows: number): readonly [code: string, uses: string[]] {
  const rounds = (epochs: number): number => epochs * roundsOf(rows, batch)
  const from = `initialLearningRate: ${number(rate)}`
  switch (schedule) {
    case "constant":
      return [number(rate), []]
    case "halving":
      return [
        `exponentialDecay({ ${from}, decaySteps: ${rounds(scheduleEpochs.halving)}, decayRate: 0.5 })`,
        ["exponentialDecay"],
      ]
    case "steps":
      return [`stepDecay({ ${from}, stepSize: ${rounds(scheduleEpochs.steps)}, gamma: 0.1 })`, ["stepDecay"]]
    case "cosine":
      return [`cosineDecay({ ${from}, decaySteps: ${rounds(scheduleEpochs.cosine)} })`, ["cosineDecay"]]
  }
}

function lossName(settings: Settings, classes: number): string {
  if (costOf(settings, classes) === "quadratic") return "meanSquaredError"
  return classes > 2 ? "categoricalCrossentropy" : "binaryCrossentropy"
}

function targetCode(classes: number): string {
  if (outputsOf(classes) === 1) return "points.map(([, , y]) => [y])"
  return `points.map(([, , y]) => Array.from({ length: ${classes} }, (_, k) => (k === y ? 1 : 0)))`
}

/**
 * A complete program: the points, the network, the training of so many epochs, the test.
 * @param notes lines about what the program cannot know: settings that were changed on the way
 */
export function programText(settings: Settings, epochs: number, notes: readonly string[] = []): string {
  const { train, test, classes } = makeData(settings)
  const { optimizer, regularizer, strength, layers, activation, features, batch, shuffle, init } = settings
  const [rate, rateUses] = rateCode(settings, train.y.length)
  const make = optimizer === "momentum" ? "sgd" : optimizer
  const uses = ["dense", "sequential", make, ...rateUses, ...(regularizer === "none" ? [] : [regularizer])].sort()
  const penalty =
    regularizer === "none" ? "" : `, kernelRegularizer: ${regularizer}({ ${regularizer}: ${number(strength)} })`
  const last = classes === 0 ? "linear" : classes > 2 ? "softmax" : "sigmoid"
  const layer = (units: number, act: string, name: string, i: number): string =>
    `    dense({ units: ${units}, activation: "${act}", name: "${name}"${i === 0 ? `, inputShape: [${features.length}]` : ""}${penalty} }),`
  const net = [
    ...layers.map((units, i) => layer(units, activation, `hidden${i + 1}`, i)),
    layer(outputsOf(classes), last, "output", -1),
  ]
  const momentum = optimizer === "momentum" ? ", momentum: 0.9" : ""
  const metrics = classes > 0 ? `\n  metrics: ["accuracy"],` : ""
  return `// Trains the network of the playground. Run it with Node 22.18 or later: npm install trilobite, node playground.ts
${notes.map((note) => `// ${note}\n`).join("")}import { ${uses.join(", ")} } from "trilobite"

type Point = readonly [x1: number, x2: number, y: number]

const train: readonly Point[] = ${pointsCode(train)}

const test: readonly Point[] = ${pointsCode(test)}

const inputs = (points: readonly Point[]) => points.map(([x1, x2]) => [${features.map((name) => featureCode[name]).join(", ")}])
const targets = (points: readonly Point[]) => ${targetCode(classes)}

export const model = sequential(
  [
${net.join("\n")}
  ],
  { seed: ${init} },
)
model.compile({
  loss: "${lossName(settings, classes)}",
  optimizer: ${make}({ learningRate: ${rate}${momentum} }),${metrics}
})
await model.fit(inputs(train), targets(train), {
  batchSize: ${batch},
  epochs: ${epochs},
  shuffle: ${shuffle},
  verbose: 0,
})
console.log(await model.evaluate(inputs(test), targets(test)))
`
}
