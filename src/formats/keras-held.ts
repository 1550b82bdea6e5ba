// Layers that other layers hold: where Keras has them in its JSON and in its files of weights, and under which names. A bidirectional
// layer is one layer here unless it is given two; Keras 3 always writes both. Knows no file.

import type { JsonObject } from "../core/json.ts"
import { layerTypes } from "../nn/config.ts"
import type { LayerConfig } from "../nn/to-config.ts"
import { type Dialect, snake } from "./keras-names.ts"
import { cannotHold } from "./keras-specs.ts"
import { modelError } from "./weights-file.ts"

/** A layer in another one. */
interface Held {
  /** The group of its weights in an HDF5 file. */
  readonly group: string
  /** Whether TensorFlow.js has its name in those of its weights. */
  readonly named: boolean
  readonly layer: LayerConfig
}

/** The options of a type of layer that are layers themselves. */
export function heldLayers(type: string): readonly string[] {
  const options = Object.hasOwn(layerTypes, type) ? (layerTypes[type]!.options ?? {}) : {}
  return Object.entries(options).flatMap(([option, { kind }]) => (kind.holdsLayer ? [option] : []))
}

/** The layers in a layer, with the names that begin the keys of their parameters, in Keras's order. */
export function heldIn({ type, config }: LayerConfig): readonly Held[] {
  if (type === "Bidirectional") {
    const [forward, backward] = directions(config)
    return [
      { group: "forward_layer", named: true, layer: forward },
      { group: "backward_layer", named: true, layer: backward },
    ]
  }
  return heldLayers(type).map((option) => {
    return { group: snake(option), named: false, layer: config[option] as LayerConfig }
  })
}

const turns = ({ config }: LayerConfig): boolean => config.goBackwards === true

/** What runs forwards and what runs backwards, by their names in Keras. */
function directions({ layer, backwardLayer }: LayerConfig["config"]): readonly [LayerConfig, LayerConfig] {
  const forward = layer as LayerConfig
  const turned = { ...forward, config: { ...forward.config, goBackwards: !turns(forward) } }
  const backward = (backwardLayer as LayerConfig | null) ?? turned
  return [
    { ...forward, name: `forward_${forward.name}` },
    { ...backward, name: `backward_${backward.name}` },
  ]
}

/** A layer as the dialect has it: both directions written out, or one of them alone. Throws E_MODEL for what has no place there. */
export function heldToKeras(layer: LayerConfig, where: string, dialect: Dialect): LayerConfig {
  if (layer.type !== "Bidirectional") return layer
  const { backwardLayer, ...config } = layer.config
  const [forward, backward] = directions(layer.config)
  if (reversed(forward)) throw cannotHold(where, ORDER)
  if (dialect === "keras2") {
    if (backwardLayer === null) return { ...layer, config }
    throw cannotHold(where, "TensorFlow.js has one layer for both directions.", "Leave backwardLayer out.")
  }
  const [units, others] = [forward.config.units, backward.config.units]
  if (units !== others) throw cannotHold(where, `in Keras both directions have as many units, not ${units} and ${others}.`) // biome-ignore format: one row
  return { ...layer, config: { ...config, layer: forward, backwardLayer: backward } }
}

const reversed = (forward: LayerConfig): boolean => turns(forward) && forward.config.returnSequences === true
const ORDER = "a layer that runs backwards as the forward one gives its steps in reverse order in Keras."

/** The configuration of a held layer, without what the layer that holds it says in its place. */
export function heldFromKeras(className: string, json: JsonObject): JsonObject {
  const { config } = json
  if (className !== "Bidirectional" || typeof config !== "object" || config === null || Array.isArray(config)) {
    return json
  }
  const { zero_output_for_mask: _, ...own } = config as JsonObject
  return { ...json, config: own }
}

/** The options of a layer of Keras in our form: of two directions that differ in nothing else one. Throws E_MODEL like the other way. */
export function optionsFromKeras(
  type: string,
  config: { readonly [option: string]: unknown },
  where: string,
): { readonly [option: string]: unknown } {
  if (type !== "Bidirectional") return config
  const { layer: forward, backwardLayer: backward } = config as { [option: string]: LayerConfig | null }
  if (forward === null || forward === undefined) return config
  if (reversed(forward)) throw modelError(where, ORDER)
  if (backward === null || backward === undefined) return { ...config, backwardLayer: null }
  const layer = without(forward, "forward_")
  const other = without(backward, "backward_")
  const same = JSON.stringify(directions({ layer, backwardLayer: null })[1]) === JSON.stringify(directions({ layer, backwardLayer: other })[1]) // biome-ignore format: one row
  return { ...config, layer, backwardLayer: same ? null : other }
}

const without = (layer: LayerConfig, prefix: string): LayerConfig =>
  layer.name.startsWith(prefix) ? { ...layer, name: layer.name.slice(prefix.length) } : layer
