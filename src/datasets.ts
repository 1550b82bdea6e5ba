// The public entry "trilobite/datasets" (Node only): data sets from this machine as tensors. Re-exports only.

export { type JsonValue, parseJson } from "./core/json.ts"
export type { Warning } from "./data/audit.ts"
export type { Division, DivisionMethod } from "./data/division.ts"
export {
  circles,
  type GeneratorOptions,
  gaussians,
  hills,
  moons,
  type Points,
  plane,
  spirals,
  xor,
} from "./data/generators.ts"
export {
  asTrainingData,
  type LabelledImages,
  type Mnist,
  type TrainingData,
  type TrainingDataOptions,
} from "./data/mnist.ts"
export { readNpy, readNpz } from "./data/node-arrays.ts"
export { type CsvOptions, tableFromText } from "./data/node-csv.ts"
export { type ColumnOptions, type FileColumn, fileDataset, idxFile, npyFile } from "./data/node-dataset.ts"
export { readIdx } from "./data/node-file.ts"
export {
  type ImageFolder,
  type ImageFolderOptions,
  imageDatasetFromDirectory,
} from "./data/node-images.ts"
export { fashionMnist, type MnistOptions, mnist } from "./data/node-mnist.ts"
export { readTable, tablePieces } from "./data/node-readers.ts"
export { type DataSet, dataSet, dataSetNames, type SetName } from "./data/node-sets.ts"
export {
  type Answer,
  answersOf,
  type Examples,
  type FeatureStep,
  type Preparation,
  prepareExamples,
  prepareInputs,
  readPreparation,
  type Scaling,
  type TargetStep,
} from "./data/preparation.ts"
export { type Prepared, type PrepareOptions, prepare, type Task } from "./data/prepare.ts"
export { type Part, type PreparedPieces, preparePieces, type TablePieces } from "./data/prepare-pieces.ts"
export {
  type Cell,
  type CellOptions,
  type Column,
  type NumberColumn,
  type Table,
  type TableLike,
  type TextColumn,
  tableFrom,
  textAt,
} from "./data/table.ts"
