// Small data sets that come with the package (Node only): tables by name, with their sources and licences.

import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { unknownName } from "../core/errors.ts"
import type { CsvOptions } from "./node-csv.ts"
import { readTable } from "./node-readers.ts"
import type { Table } from "./table.ts"

/** A table of the package's own. */
export interface DataSet extends Table {
  readonly name: SetName
  readonly title: string
  /** The column that is to be predicted. */
  readonly target: string
  /** Who collected it, from where it comes, and under which licence. */
  readonly attribution: string
}

interface SetInfo {
  readonly file: string
  readonly title: string
  readonly target: string
  readonly attribution: string
}

/** The names of the data sets. */
export type SetName = "iris" | "wine" | "breastCancer" | "digits" | "diabetes" | "penguins" | "words"

const SKLEARN = "as in scikit-learn (BSD-3-Clause)"
const UCI = "UCI Machine Learning Repository (CC BY 4.0)"

const sets: { readonly [name in SetName]: SetInfo } = {
  iris: {
    file: "iris.csv",
    title: "150 flowers of three species: four lengths in centimetres",
    target: "species",
    attribution: `R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; ${UCI}, ${SKLEARN}`,
  },
  wine: {
    file: "wine.csv",
    title: "178 wines of three cultivars: thirteen chemical measurements",
    target: "cultivar",
    attribution: `M. Forina et al., PARVUS, 1988; ${UCI}, ${SKLEARN}`,
  },
  breastCancer: {
    file: "breast-cancer.csv",
    title: "569 tumours, malignant or benign: thirty measurements of cell nuclei",
    target: "diagnosis",
    attribution: `W. H. Wolberg, W. N. Street, O. L. Mangasarian, Breast Cancer Wisconsin (Diagnostic), 1995; ${UCI}, ${SKLEARN}`,
  },
  digits: {
    file: "digits.csv.gz",
    title: "1,797 handwritten digits of 8 x 8 pixels from 0 to 16",
    target: "digit",
    attribution: `E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, 1998; ${UCI}, ${SKLEARN}`,
  },
  diabetes: {
    file: "diabetes.csv",
    title: "442 patients: ten measurements, and how far the disease had advanced a year later",
    target: "target",
    attribution: `B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least angle regression", 2004; ${SKLEARN}`,
  },
  penguins: {
    file: "penguins.csv",
    title: "344 penguins of three species on three islands: four measurements and the sex, some of them missing",
    target: "species",
    attribution: "K. Gorman and Palmer Station LTER; A. Horst, A. Hill, K. Gorman, palmerpenguins, 2020 (CC0)",
  },
  words: {
    file: "words.csv.gz",
    title: "11,944 words of six languages, without accents",
    target: "language",
    attribution:
      "Word lists of BIP-39 by its authors, 2013 to 2019; as in @scure/bip39 by P. Palladino and P. Miller, 2022 (MIT)",
  },
}

/** The names of the small data sets, in order. */
export const dataSetNames: readonly SetName[] = Object.keys(sets) as SetName[]

/**
 * A small data set by its name: iris, wine, breastCancer, digits, diabetes, penguins or words.
 * @throws E_CONFIG for another name.
 * @example
 * ```ts
 * import { dataSet } from "trilobite/datasets"
 * const penguins = await dataSet("penguins")
 * penguins.rows // => 344
 * penguins.target // => "species"
 * penguins.columns.map(({ name }) => name).join() // => "island,billLength,billDepth,flipperLength,bodyMass,sex,species"
 * ```
 */
export async function dataSet(name: SetName): Promise<DataSet> {
  if (!dataSetNames.includes(name)) throw unknownName("dataSet", "data set", String(name), dataSetNames)
  const { file, ...about } = sets[name]
  const options: CsvOptions = name === "digits" ? { kinds: { digit: "text" } } : {}
  const { source: _, ...table } = await readTable(pathOf(file), options)
  return { ...table, source: name, name, ...about }
}

/** Beside this module, or one folder above it where a bundler has put it into another. */
function pathOf(file: string): string {
  const [here, above] = ["./sets/", "../sets/"].map((folder) => fileURLToPath(new URL(folder + file, import.meta.url)))
  return existsSync(here!) ? here! : above!
}
