// What the parts of the page read: signals that change only when what they say does. A change of the learning rate, and every
// look at a training, then renders the words that say it, and nothing else.

import { computed, type ReadonlySignal } from "@preact/signals"
import type { PlayEvent } from "../engine/jobs/play.ts"
import type { State } from "../ui/url.ts"
import { type Data, makeData, pointsKey } from "./data.ts"
import type { Neuron } from "./session.ts"
import type { Settings } from "./settings.ts"
import type { Setting, View } from "./state.ts"
import type { Training } from "./training.ts"

/** What is shown of settings and of their training. */
export interface Shown {
  readonly data: ReadonlySignal<Data>
  /** How many classes; 0 where numbers are to be learnt. */
  readonly classes: ReadonlySignal<number>
  /** Whether there are points of at least two kinds, and some to test. */
  readonly ready: ReadonlySignal<boolean>
  /** The settings, changed only with features, layers and activation: for what draws the network. */
  readonly net: ReadonlySignal<Settings>
  /** The newest look, if it is of a network of this shape: for drawings. */
  readonly live: ReadonlySignal<PlayEvent | undefined>
  /** One of the last moments: for words. */
  readonly told: ReadonlySignal<PlayEvent | undefined>
  readonly pin: ReadonlySignal<Neuron | undefined>
}

/** A value that is made anew only when its key is another. */
function keyed<T>(key: () => string, make: () => T): ReadonlySignal<T> {
  const own = computed(key)
  return computed(() => {
    void own.value
    return make()
  })
}

/** Whether a look at a network of the one can be drawn for the other. */
const fits = (a: Settings, b: Settings): boolean =>
  a.features.join() === b.features.join() && a.layers.join() === b.layers.join() && a.data === b.data

/** What is shown, as signals. */
export function shownOf(
  { now, view }: { readonly now: Setting["now"]; readonly view: Pick<State<View>, "pin"> },
  training: Pick<Training, "event" | "told">,
): Shown {
  const fitting = (of: ReadonlySignal<PlayEvent | undefined>): ReadonlySignal<PlayEvent | undefined> =>
    computed(() => (of.value !== undefined && fits(of.value.settings, now.value) ? of.value : undefined))
  const data = keyed(
    () => pointsKey(now.value),
    () => makeData(now.peek()),
  )
  return {
    data,
    classes: computed(() => data.value.classes),
    ready: computed(() => data.value.train.y.length > 1 && data.value.test.y.length > 0),
    net: keyed(
      () => [now.value.features, now.value.layers, now.value.activation].join(";"),
      () => now.peek(),
    ),
    live: fitting(training.event),
    told: fitting(training.told),
    pin: computed(() => {
      const [layer, unit] = view.pin.value
      return layer === undefined || unit === undefined ? undefined : [layer - 1, unit - 1]
    }),
  }
}
