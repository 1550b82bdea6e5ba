// The public surface of trilobite: re-exports only. test/snapshots holds the list of names.

export type { BackendName } from "./backend/pick.ts"
export { diagnose, messageOf, promiseOf } from "./coach/ask.ts"
export type {
  Ahead,
  DataFacts,
  EpochFacts,
  Evidence,
  KernelFacts,
  LayerFacts,
  LayerLook,
  NetworkFacts,
  ProbeFacts,
  Seen,
  TargetFacts,
  Task,
  TrainingFacts,
  TrialFacts,
} from "./coach/evidence.ts"
export type { Advisor, Change, Diagnosis, Edit, Expectation, FaultCode, Finding, Kept } from "./coach/finding.ts"
export type { Decision, EpochsEvidence, Setting } from "./coach/procedures.ts"
export { toCategorical } from "./core/categorical.ts"
export { type ErrorCode, TrilobiteError } from "./core/errors.ts"
export type { Shape } from "./core/shape.ts"
export { type DType, type Tensor, type TensorLike, type TypedArray, tensor } from "./core/tensor.ts"
export type { Dataset, RowMemory, RowSource, RowSpec, Stream, StreamedBatch } from "./data/dataset.ts"
export { type FormatName, modelFormats } from "./formats/endings.ts"
export type { CallbackState } from "./formats/saved-model.ts"
export type { WeightInfo } from "./formats/weights-file.ts"
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
export type { Activation, ActivationName, ActivationSpec } from "./nn/activations.ts"
export type { CustomObjects } from "./nn/config.ts"
export { type Constraint, type ConstraintSpec, maxNorm, minMaxNorm, nonNeg, unitNorm } from "./nn/constraints.ts"
export { crossEntropyCost, quadraticCost } from "./nn/cost.ts"
export {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
} from "./nn/initializers.ts"
export type { Layer, LayerOptions } from "./nn/layer.ts"
export { activation } from "./nn/layers/activation.ts"
export {
  type ELUOptions,
  elu,
  type LeakyReLUOptions,
  leakyReLU,
  type PReLUOptions,
  prelu,
  type ReLUOptions,
  reLU,
  type SoftmaxOptions,
  softmax,
} from "./nn/layers/activations.ts"
export { type ActivityRegularizationOptions, activityRegularization } from "./nn/layers/activity-regularization.ts"
export {
  type AdditiveAttentionOptions,
  type AttendingFactory,
  type AttentionOptions,
  additiveAttention,
  attention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
} from "./nn/layers/attention.ts"
export {
  type RandomContrastOptions,
  type RandomFlipOptions,
  type RandomRotationOptions,
  type RandomTranslationOptions,
  type RandomZoomOptions,
  randomContrast,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
} from "./nn/layers/augmentation.ts"
export { type BatchNormalizationOptions, batchNormalization } from "./nn/layers/batch-normalization.ts"
export { type BidirectionalFactory, type BidirectionalOptions, bidirectional } from "./nn/layers/bidirectional.ts"
export { type ConvTransposeOptions, conv1DTranspose, conv2DTranspose } from "./nn/layers/conv-transpose.ts"
export {
  type Conv1DOptions,
  type Conv2DOptions,
  conv1D,
  conv2D,
  type DepthwiseConvOptions,
  depthwiseConv1D,
  depthwiseConv2D,
  type SeparableConv1DOptions,
  type SeparableConv2DOptions,
  separableConv1D,
  separableConv2D,
} from "./nn/layers/convolution.ts"
export { customLayer } from "./nn/layers/custom.ts"
export { type DenseOptions, dense } from "./nn/layers/dense.ts"
export { type DotOptions, dot } from "./nn/layers/dot.ts"
export { type EmbeddingOptions, embedding } from "./nn/layers/embedding.ts"
export { flatten } from "./nn/layers/flatten.ts"
export {
  type GlobalPoolingOptions,
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalMaxPooling1D,
  globalMaxPooling2D,
} from "./nn/layers/global-pooling.ts"
export { type GRUOptions, gru } from "./nn/layers/gru.ts"
export { type LSTMOptions, lstm } from "./nn/layers/lstm.ts"
export { type MaskingOptions, masking } from "./nn/layers/masking.ts"
export {
  add,
  average,
  type ConcatenateOptions,
  concatenate,
  maximum,
  minimum,
  multiply,
  subtract,
} from "./nn/layers/merging.ts"
export {
  identityLayer,
  type PermuteOptions,
  permute,
  type RepeatVectorOptions,
  repeatVector,
} from "./nn/layers/moving.ts"
export {
  alphaDropout,
  type DropoutOptions,
  dropout,
  type GaussianDropoutOptions,
  type GaussianNoiseOptions,
  gaussianDropout,
  gaussianNoise,
  type SpatialDropout1DOptions,
  type SpatialDropout2DOptions,
  spatialDropout1D,
  spatialDropout2D,
} from "./nn/layers/noise.ts"
export { type NormalizationOptions, normalization } from "./nn/layers/normalization.ts"
export {
  type GroupNormalizationOptions,
  groupNormalization,
  type LayerNormalizationOptions,
  layerNormalization,
  type RmsNormalizationOptions,
  rmsNormalization,
  type UnitNormalizationOptions,
  unitNormalization,
} from "./nn/layers/normalizing.ts"
export {
  type Cropping1DOptions,
  type Cropping2DOptions,
  cropping1D,
  cropping2D,
  type UpSampling1DOptions,
  type UpSampling2DOptions,
  upSampling1D,
  upSampling2D,
  type ZeroPadding1DOptions,
  type ZeroPadding2DOptions,
  zeroPadding1D,
  zeroPadding2D,
} from "./nn/layers/placing.ts"
export {
  averagePooling1D,
  averagePooling2D,
  maxPooling1D,
  maxPooling2D,
  type PoolingOptions,
} from "./nn/layers/pooling.ts"
export type { RecurrentFactory, RecurrentOptions } from "./nn/layers/recurrent.ts"
export { rescaling } from "./nn/layers/rescaling.ts"
export { reshape } from "./nn/layers/reshape.ts"
export { type SimpleRNNOptions, simpleRNN } from "./nn/layers/simple-rnn.ts"
export { type TimeDistributedOptions, timeDistributed } from "./nn/layers/time-distributed.ts"
export {
  binaryCrossentropy,
  type CrossentropyOptions,
  categoricalCrossentropy,
  klDivergence,
  type SparseCrossentropyOptions,
  sparseCategoricalCrossentropy,
} from "./nn/losses/crossentropy.ts"
export { type CustomLoss, type CustomLossOptions, customLoss, type LossFunction } from "./nn/losses/custom.ts"
export {
  type BinaryFocalOptions,
  binaryFocalCrossentropy,
  type CategoricalFocalOptions,
  categoricalFocalCrossentropy,
} from "./nn/losses/focal.ts"
export { categoricalHinge, hinge, squaredHinge } from "./nn/losses/margin.ts"
export { type DiceOptions, dice, type TverskyOptions, tversky } from "./nn/losses/overlap.ts"
export {
  type CosineSimilarityOptions,
  cosineSimilarity,
  type HuberOptions,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
} from "./nn/losses/regression.ts"
export type { Loss, LossLike } from "./nn/losses.ts"
export {
  accuracy,
  type BinaryAccuracyOptions,
  binaryAccuracy,
  categoricalAccuracy,
  logCoshError,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  type TopKOptions,
  topKCategoricalAccuracy,
} from "./nn/metrics/accuracy.ts"
export {
  type ConfusionOptions,
  confusionMatrix,
  type F1Options,
  type FBetaOptions,
  f1Score,
  falseNegatives,
  falsePositives,
  fBetaScore,
  meanIoU,
  type PrecisionOptions,
  perClassAccuracy,
  precision,
  recall,
  type ThresholdOptions,
  trueNegatives,
  truePositives,
} from "./nn/metrics/confusion.ts"
export { type AucOptions, auc } from "./nn/metrics/curves.ts"
export {
  type PointOptions,
  precisionAtRecall,
  recallAtPrecision,
  sensitivityAtSpecificity,
  specificityAtSensitivity,
} from "./nn/metrics/points.ts"
export { type R2Options, r2Score, rootMeanSquaredError } from "./nn/metrics/regression.ts"
export { type CustomMetric, customMetric, type MetricLike, type MetricSpec } from "./nn/metrics.ts"
export {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamW,
  ftrl,
  lamb,
  lion,
  nadam,
  rmsprop,
  sgd,
} from "./nn/optimizer-functions.ts"
export type { LearningRate, ParameterGroup } from "./nn/optimizers/common.ts"
export type { Optimizer, OptimizerLike, OptimizerOptions } from "./nn/optimizers.ts"
export {
  l1,
  l1l2,
  l2,
  orthogonalRegularizer,
  type Regularizer,
  type RegularizerSpec,
} from "./nn/regularizers.ts"
export {
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  oneCycle,
  piecewiseConstantDecay,
  polynomialDecay,
  stepDecay,
} from "./nn/schedule-functions.ts"
export { learningRateAt, type Schedule } from "./nn/schedules.ts"
export type { Scope } from "./nn/scope.ts"
export { type InputOptions, input, type SymbolicTensor } from "./nn/symbolic.ts"
export { type PadSequencesOptions, padSequences } from "./nn/text/pad-sequences.ts"
export {
  type TextVectorization,
  type TextVectorizationConfig,
  type TextVectorizationOptions,
  textVectorization,
} from "./nn/text/text-vectorization.ts"
export type { OutputMode } from "./nn/text/vocabulary.ts"
export type { CompileOptions } from "./nn/training.ts"
export { NUMERICS_VERSION } from "./program/program.ts"
export type { Callback, LayerActivations, LayerWeights, Training } from "./train/callbacks/callback.ts"
export { type CheckpointFrequency, type CheckpointsOptions, checkpoints } from "./train/callbacks/checkpoints.ts"
export { type CoachCallbackOptions, coach } from "./train/callbacks/coach.ts"
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
export type { Coached } from "./train/examples.ts"
export type { Histogram } from "./train/histogram.ts"
export { Model } from "./train/model.ts"
export type {
  DatasetFitOptions,
  EvaluateOptions,
  FitOptions,
  ModelOptions,
  PredictOptions,
} from "./train/options.ts"
export { type Plot, plotSvg, type Series } from "./train/plot.ts"
export type { Output } from "./train/progress.ts"
