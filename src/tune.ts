// The public entry "trilobite/tune": the search for a configuration. Re-exports only.

export {
  type BatchLimits,
  type BatchSeen,
  type BatchStanding,
  type ChapterKnob,
  chapterLadder,
  type Decision,
  decideBatchSize,
  decideByRange,
  decideEpochs,
  type EpochsDecision,
  type EpochsEvidence,
  firstLearningRate,
  type Ladder,
  type LadderRule,
  type Pace,
  paceOf,
  type RangeEvidence,
  type Rung,
  type Seen,
  type Setting,
  type Standing,
  standOn,
} from "./coach/procedures.ts"
export { type Attempt, isBetter, type Proposal, type Repaired, type Repairer, repair } from "./coach/repair.ts"
export { learningRateRangeTest, type RangeTest, type RangeTestOptions, rangeTestSvg } from "./range-test.ts"
export { type BatchSizeOptions, chooseBatchSize, type Inspected } from "./tune/batch-size.ts"
export { type Climb, climb, climbing } from "./tune/climbing.ts"
export { type Importance, importance } from "./tune/importance.ts"
export {
  type HalvingOptions,
  type HyperbandOptions,
  hyperband,
  type Pruner,
  successiveHalving,
} from "./tune/pruning.ts"
export {
  type Ask,
  type GridOptions,
  gridSearch,
  randomSearch,
  type Sampler,
  type SamplerName,
  type TpeOptions,
  tpe,
} from "./tune/samplers.ts"
export {
  type ChoiceKnob,
  choice,
  type Knob,
  type KnobValue,
  logUniform,
  type RangeKnob,
  type Space,
  uniform,
  type Values,
  type WholeOptions,
  whole,
} from "./tune/space.ts"
export type { Direction, Trial, TrialState } from "./tune/study.ts"
export { type Objective, type Run, type Study, type TuneOptions, tune } from "./tune/tune.ts"
