// The public surface of trilobite: re-exports only. test/snapshots holds the list of names.

export type { BackendName } from "./backend/pick.ts"
export { toCategorical } from "./core/categorical.ts"
export { type ErrorCode, TrilobiteError } from "./core/errors.ts"
export type { Shape } from "./core/shape.ts"
export { type DType, type Tensor, type TensorLike, type TypedArray, tensor } from "./core/tensor.ts"
export type { Dataset, RowMemory, RowSource, RowSpec, Stream, StreamedBatch } from "./data/dataset.ts"
export type { Node } from "./graph/node.ts"
export * as ops from "./graph/public.ts"
export {
  type FunctionalOptions,
  functional,
  type LoadModelOptions,
  loadModel,
  modelFromBytes,
  sequential,
} from "./model.ts"
export type { ActivationName } from "./nn/activations.ts"
export { crossEntropyCost, quadraticCost } from "./nn/cost.ts"
export {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  lecunNormal,
  lecunUniform,
  ones,
  randomNormal,
  randomUniform,
  truncatedNormal,
  zeros,
} from "./nn/initializers.ts"
export type { Layer, LayerOptions } from "./nn/layer.ts"
export { activation } from "./nn/layers/activation.ts"
export { type BatchNormalizationOptions, batchNormalization } from "./nn/layers/batch-normalization.ts"
export { customLayer } from "./nn/layers/custom.ts"
export { type DenseOptions, dense } from "./nn/layers/dense.ts"
export { type DotOptions, dot } from "./nn/layers/dot.ts"
export { flatten } from "./nn/layers/flatten.ts"
export { add, average, maximum, minimum, multiply, subtract } from "./nn/layers/merging.ts"
export { rescaling } from "./nn/layers/rescaling.ts"
export { reshape } from "./nn/layers/reshape.ts"
export {
  binaryCrossentropy,
  type CrossentropyOptions,
  categoricalCrossentropy,
  type Loss,
  type LossLike,
  meanAbsoluteError,
  meanSquaredError,
  sparseCategoricalCrossentropy,
} from "./nn/losses.ts"
export {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  type MetricLike,
  type MetricSpec,
  sparseCategoricalAccuracy,
} from "./nn/metrics.ts"
export { type SgdOptions, sgd } from "./nn/optimizers/sgd.ts"
export type { Optimizer } from "./nn/optimizers.ts"
export type { Scope } from "./nn/scope.ts"
export { type InputOptions, input, type SymbolicTensor } from "./nn/symbolic.ts"
export type { CompileOptions } from "./nn/training.ts"
export { NUMERICS_VERSION } from "./program/program.ts"
export type { Callback, LayerActivations, LayerWeights, Training } from "./train/callbacks/callback.ts"
export { type CsvLoggerOptions, csvLogger } from "./train/callbacks/csv-logger.ts"
export { type EarlyStoppingOptions, earlyStopping } from "./train/callbacks/early-stopping.ts"
export { type JsonLinesLoggerOptions, jsonLinesLogger } from "./train/callbacks/json-lines-logger.ts"
export { type LambdaCallbackOptions, lambdaCallback } from "./train/callbacks/lambda-callback.ts"
export {
  type LearningRateSchedulerOptions,
  learningRateScheduler,
} from "./train/callbacks/learning-rate-scheduler.ts"
export { type LearningSpeed, type LearningSpeedPlotOptions, learningSpeed } from "./train/callbacks/learning-speed.ts"
export type { History } from "./train/callbacks/listeners.ts"
export { type ModelCheckpointOptions, modelCheckpoint, type SaveFrequency } from "./train/callbacks/model-checkpoint.ts"
export type { MonitorMode } from "./train/callbacks/monitor.ts"
export { type ProgressBarOptions, progressBar } from "./train/callbacks/progress-bar.ts"
export { type ReduceLROnPlateauOptions, reduceLROnPlateau } from "./train/callbacks/reduce-lr-on-plateau.ts"
export {
  type LayerSaturation,
  type Saturation,
  type SaturationOptions,
  saturation,
} from "./train/callbacks/saturation.ts"
export { type TensorBoardOptions, tensorBoard } from "./train/callbacks/tensorboard.ts"
export { type TerminateOnNaNOptions, terminateOnNaN } from "./train/callbacks/terminate-on-nan.ts"
export {
  type WeightHistory,
  type WeightHistoryOptions,
  type WeightSnapshot,
  weightHistory,
} from "./train/callbacks/weight-history.ts"
export type { EndReason, FitEvent, Logs } from "./train/events.ts"
export type { Histogram } from "./train/histogram.ts"
export { Model } from "./train/model.ts"
export type {
  DatasetFitOptions,
  EvaluateOptions,
  FitOptions,
  ModelOptions,
  PredictOptions,
} from "./train/options.ts"
export type { Output } from "./train/progress.ts"
