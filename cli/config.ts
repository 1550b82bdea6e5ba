// The public entry "trilobite/config": the type of a config of `trilobite train`, for config files in TypeScript. Types alone.

/** How a table is trained on: what `trilobite train` takes as flags. Everything but `data` has a default. */
export interface TrainConfig {
  /** Where the JSON schema is, for editors. */
  readonly $schema?: string
  /** A file (CSV, TSV, JSON lines, Parquet, npy, npz, IDX) or the name of a data set. */
  readonly data?: string
  /** The column that is to be predicted. */
  readonly target?: string
  /** The columns that it is predicted from (default: all others). */
  readonly features?: readonly string[]
  /** Columns that are left out. */
  readonly ignore?: readonly string[]
  /** Columns whose numbers are names of things. */
  readonly categorical?: readonly string[]
  /** Classes or numbers (default: by what the target holds). */
  readonly task?: "classification" | "regression"
  /** How numbers are brought to a common size (default standardize). */
  readonly scaling?: "standardize" | "minMax" | "none"
  /** What becomes of missing cells (default error). */
  readonly missing?: "error" | "mean" | "drop"
  /** What stands between the cells of a text (default: found out). */
  readonly delimiter?: string
  /** Whether the first line of a text holds names (default: found out). */
  readonly header?: boolean
  /** The share of the rows that validates (default 0.2). */
  readonly validation?: number
  /** The share of the rows that is kept for the last test (default 0). */
  readonly test?: number
  /** How rows are divided (default: stratified for classes, random for numbers). */
  readonly split?: "random" | "stratified" | "time"
  /** The column by which `time` divides. */
  readonly timeColumn?: string
  /** Whether the file is read in pieces, anew in every epoch (default: if it is larger than an eighth of the memory). */
  readonly stream?: boolean
  /** Units of the hidden layers (default 64, 64). */
  readonly layers?: readonly number[]
  /** The activation of the hidden layers (default relu). */
  readonly activation?: string
  /** The share of hidden values that is left out at random (default 0). */
  readonly dropout?: number
  /** The weight of the squared weights in the cost (default 0). */
  readonly l2?: number
  /** How the weights move (default adam). */
  readonly optimizer?: string
  /** The length of the steps (default: the optimizer's). */
  readonly learningRate?: number
  /** What is minimised (default: cross-entropy for classes, mean squared error for numbers). */
  readonly loss?: string
  /** Rows in a round (default 32); `"auto"`: 32, or as many as fit the memory. */
  readonly batchSize?: number | "auto"
  /** Times that all rows are used, at most (default 200); `"auto"`: as many as the validation cost asks for. */
  readonly epochs?: number | "auto"
  /** Epochs without a better validation loss after which training stops; 0: it does not stop (default 20). */
  readonly patience?: number
  /** Whether classes count in the cost by how rare they are (default none). */
  readonly classWeights?: "none" | "balanced"
  /** What division, initial weights and order depend on (default 0). */
  readonly seed?: number
}
