// The words of the sentence that say what is learnt: data, features, neurons, cost.

import type { JSX } from "preact"
import { ordered } from "./data.ts"
import { activations, costOf, dataNames, dataWords, featureNames, type Settings } from "./settings.ts"
import { NumberRow, Tick, Token, WordList } from "./token.tsx"
import { activationNotes, activationWord, featureText, featureWords, listed, noiseWord } from "./words.tsx"

/** What a word of the sentence is given: the settings, how to change them, one as controls take it, and what follows the word. */
export interface Part {
  readonly s: Settings
  readonly apply: (change: Partial<Settings>) => void
  readonly of: <N extends keyof Settings>(
    name: N,
  ) => { readonly value: Settings[N]; readonly onChange: (value: Settings[N]) => void }
  readonly after?: string
}

/** The data set. */
export function DataToken({ s, of, after = "" }: Part): JSX.Element {
  const word = dataWords[s.data].words
  return (
    <Token after={after} name="Data" word={word}>
      {() => (
        <>
          <WordList
            label="Data"
            {...of("data")}
            options={dataNames.map((value) => ({ value, label: dataWords[value].words }))}
          />
          <p class="dim">Another kind of data starts again.</p>
        </>
      )}
    </Token>
  )
}

/** Points, noise, and how many of them train. */
export function NoiseToken({ s, apply, of, after = "" }: Part): JSX.Element {
  const word = s.data === "own" ? `${s.share} % to train` : noiseWord(s.noise)
  return (
    <Token after={after} name="Points and noise" word={word}>
      {() => (
        <div class="stack">
          {s.data !== "own" && (
            <>
              <NumberRow label="Noise" {...of("noise")} min={0} max={50} step={1} whole unit="%" />
              <NumberRow label="Points" {...of("points")} min={20} max={2000} scale="log" whole />
            </>
          )}
          <NumberRow label="To train" {...of("share")} min={10} max={90} step={1} whole unit="%" />
          <button type="button" class="btn low" onClick={() => apply({ seed: (s.seed + 1) % 10000 })}>
            {s.data === "own" ? "Divide them anew" : "Draw other points"}
          </button>
          <p class="dim">The other {100 - s.share} % test and never train. The training goes on with the new points.</p>
        </div>
      )}
    </Token>
  )
}

/** What each point tells the first layer. */
export function FeatureToken({ s, apply, after = "" }: Part): JSX.Element {
  const spoken = s.features
    .map((name) => featureText[name])
    .join(", ")
    .replace(/, ([^,]*)$/, " and $1")
  return (
    <Token after={after} name="Features" spoken={spoken} word={listed(s.features.map((name) => featureWords[name]))}>
      {() => (
        <div class="stack">
          <div class="ticks">
            {featureNames.map((name) => {
              const on = s.features.includes(name)
              return (
                <Tick
                  key={name}
                  label={featureWords[name]}
                  value={on}
                  disabled={on && s.features.length === 1}
                  onChange={(wanted) => {
                    apply({
                      features: ordered(wanted ? [...s.features, name] : s.features.filter((other) => other !== name)),
                    })
                  }}
                />
              )
            })}
          </div>
          <p class="dim">What each point tells the first layer. Another choice starts again.</p>
        </div>
      )}
    </Token>
  )
}

/** The activation, and the number of the first weights. */
export function ActivationToken({ s, of, after = "" }: Part): JSX.Element {
  return (
    <Token after={after} name="Activation" word={activationWord(s.activation)}>
      {() => (
        <div class="stack">
          <WordList
            label="Activation"
            {...of("activation")}
            options={activations.map((value) => ({
              value,
              label: activationWord(value),
              note: activationNotes[value],
            }))}
          />
          <NumberRow label="First weights, number" {...of("init")} min={0} max={9999} step={1} whole />
        </div>
      )}
    </Token>
  )
}

/** The cost. */
export function CostToken({ s, of, after = "", classes }: Part & { readonly classes: number }): JSX.Element {
  const now = costOf(s, classes)
  const word = now === "quadratic" ? "the quadratic cost" : "cross-entropy"
  if (classes === 0)
    return (
      <span class="tkbox">
        <span class="tk fixed">{word}</span>
        {after}
      </span>
    )
  return (
    <Token after={after} name="Cost" word={word}>
      {() => (
        <WordList
          label="Cost"
          {...of("cost")}
          options={[
            { value: "crossEntropy", label: "cross-entropy", note: "Pushes hardest where the answer is surely wrong." },
            {
              value: "quadratic",
              label: "the quadratic cost",
              note: "The squared mistake: its push fades where neurons are saturated.",
            },
          ]}
        />
      )}
    </Token>
  )
}
