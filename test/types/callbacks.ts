// The options of callbacks are checked by the compiler.
import {
  type Callback,
  csvLogger,
  dense,
  earlyStopping,
  lambdaCallback,
  learningRateScheduler,
  learningSpeed,
  modelCheckpoint,
  progressBar,
  reduceLROnPlateau,
  saturation,
  sequential,
  tensorBoard,
  terminateOnNaN,
  weightHistory,
} from "../../src/index.ts"

/** Right and wrong uses side by side. */
export async function uses(): Promise<void> {
  const speed = learningSpeed()
  const seen = saturation({ rows: [[1]], tanhThreshold: 0.9 })
  const callbacks: Callback[] = [
    speed,
    seen,
    weightHistory({ freq: 2 }),
    earlyStopping({ verbose: 1 }),
    reduceLROnPlateau({ monitor: "val_loss", mode: "auto", minLr: 1e-6 }),
    learningRateScheduler({ schedule: (epoch, rate) => (epoch > 3 ? rate / 2 : rate) }),
    modelCheckpoint({ filepath: "m", saveFreq: "epoch" }),
    modelCheckpoint({ filepath: "m", saveFreq: 100 }),
    modelCheckpoint({ filepath: "m", saveFreq: { epochs: 2 } }),
    csvLogger({ filename: "t.csv", separator: ";" }),
    tensorBoard({ updateFreq: "batch" }),
    terminateOnNaN(),
    progressBar({ verbose: 2 }),
    lambdaCallback({ onEpochEnd: (_, logs, training) => void (logs.loss === 0 && training.stop()) }),
    { onDiverged: (error, training) => void (error.code === "E_DIVERGED" && training.stop()) },
    { onEvent: (event) => void (event.type === "progress" && event.round) },
  ]
  await sequential([dense({ units: 1 })]).fit([[1]], [[1]], { callbacks })
  const numbers: readonly number[] | undefined = speed.speeds.dense
  const shares: readonly number[] | undefined = seen.layers[0]?.saturated ?? numbers
  shares?.concat(1)

  // @ts-expect-error a misspelt option
  reduceLROnPlateau({ patiense: 3 })
  // @ts-expect-error a mode that does not exist
  reduceLROnPlateau({ mode: "maximum" })
  // @ts-expect-error the schedule is required
  learningRateScheduler({})
  // @ts-expect-error a schedule gives a number
  learningRateScheduler({ schedule: () => "0.1" })
  // @ts-expect-error the path is required
  modelCheckpoint({ saveBestOnly: true })
  // @ts-expect-error a frequency that does not exist
  modelCheckpoint({ filepath: "m", saveFreq: "batch" })
  // @ts-expect-error learning speed has no options
  learningSpeed({ sigma: 3 })
  // @ts-expect-error an option of the plot
  speed.toSvg({ smooth: 3 })
  // @ts-expect-error rows are required
  saturation({})
  // @ts-expect-error a name that Keras does not have
  lambdaCallback({ onEpochDone: () => {} })
  // @ts-expect-error TensorBoard's graphs are not written
  tensorBoard({ writeGraph: true })
}
