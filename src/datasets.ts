// The public entry "trilobite/datasets" (Node only): data sets from this machine as tensors. Re-exports only.

export {
  asTrainingData,
  type LabelledImages,
  type Mnist,
  type TrainingData,
  type TrainingDataOptions,
} from "./data/mnist.ts"
export { type ColumnOptions, type FileColumn, fileDataset, idxFile, npyFile } from "./data/node-dataset.ts"
export { fashionMnist, type MnistOptions, mnist } from "./data/node-mnist.ts"
