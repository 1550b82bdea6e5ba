// The settings as a sentence: each underlined word opens what it can be.

import type { JSX } from "preact"
import { rate as rateText } from "../ui/format.ts"
import { ordered } from "./data.ts"
import {
  activations,
  costOf,
  dataNames,
  dataWords,
  featureNames,
  type OptimizerName,
  PATIENCE,
  type Settings,
  scheduleEpochs,
} from "./settings.ts"
import type { Setting } from "./state.ts"
import { NumberRow, Tick, Token, WordList } from "./token.tsx"
import {
  activationNotes,
  activationWord,
  featureText,
  featureWords,
  listed,
  noiseWord,
  optimizerWords,
  stopWord,
  strengthWord,
} from "./words.tsx"

interface Part {
  readonly s: Settings
  readonly apply: (change: Partial<Settings>) => void
  readonly after?: string
}

/** The sentence. */
export function Sentence({ setting, classes }: { readonly setting: Setting; readonly classes: number }): JSX.Element {
  const s = setting.now.value
  const part: Part = { s, apply: setting.apply }
  const numbers = classes === 0
  return (
    <p class="sentence">
      {numbers ? "Fit " : "Separate "}
      <DataToken {...part} /> with <NoiseToken {...part} /> from <FeatureToken {...part} after="," /> through{" "}
      <ActivationToken {...part} /> neurons, judged by <CostToken {...part} classes={classes} after="." /> Learn with{" "}
      <OptimizerToken {...part} /> at rate <RateToken {...part} after="," /> <BatchToken {...part} /> at a time, with{" "}
      <PenaltyToken {...part} after="," /> <StopToken {...part} after="." />
    </p>
  )
}

function DataToken({ s, apply, after = "" }: Part): JSX.Element {
  const word = dataWords[s.data].words
  return (
    <Token after={after} label={`Data: ${word}`} word={word}>
      {() => (
        <>
          <WordList
            label="Data"
            value={s.data}
            options={dataNames.map((value) => ({ value, label: dataWords[value].words }))}
            onChange={(data) => apply({ data })}
          />
          <p class="dim">Another kind of data starts again.</p>
        </>
      )}
    </Token>
  )
}

function NoiseToken({ s, apply, after = "" }: Part): JSX.Element {
  const word = s.data === "own" ? `${s.share} % to train` : noiseWord(s.noise)
  return (
    <Token after={after} label={`Points and noise: ${word}`} word={word}>
      {() => (
        <div class="stack">
          {s.data !== "own" && (
            <>
              <NumberRow
                label="Noise"
                value={s.noise}
                min={0}
                max={50}
                step={1}
                whole
                unit="%"
                onChange={(noise) => apply({ noise })}
              />
              <NumberRow
                label="Points"
                value={s.points}
                min={20}
                max={2000}
                scale="log"
                whole
                onChange={(points) => apply({ points })}
              />
            </>
          )}
          <NumberRow
            label="To train"
            value={s.share}
            min={10}
            max={90}
            step={1}
            whole
            unit="%"
            onChange={(share) => apply({ share })}
          />
          <button type="button" class="btn low" onClick={() => apply({ seed: (s.seed + 1) % 10000 })}>
            {s.data === "own" ? "Divide them anew" : "Draw other points"}
          </button>
          <p class="dim">The other {100 - s.share} % test and never train. The training goes on with the new points.</p>
        </div>
      )}
    </Token>
  )
}

function FeatureToken({ s, apply, after = "" }: Part): JSX.Element {
  const spoken = s.features
    .map((name) => featureText[name])
    .join(", ")
    .replace(/, ([^,]*)$/, " and $1")
  return (
    <Token after={after} label={`Features: ${spoken}`} word={listed(s.features.map((name) => featureWords[name]))}>
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

function ActivationToken({ s, apply, after = "" }: Part): JSX.Element {
  return (
    <Token after={after} label={`Activation: ${activationWord(s.activation)}`} word={activationWord(s.activation)}>
      {() => (
        <div class="stack">
          <WordList
            label="Activation"
            value={s.activation}
            options={activations.map((value) => ({
              value,
              label: activationWord(value),
              note: activationNotes[value],
            }))}
            onChange={(activation) => apply({ activation })}
          />
          <NumberRow
            label="First weights, number"
            value={s.init}
            min={0}
            max={9999}
            step={1}
            whole
            onChange={(init) => apply({ init })}
          />
        </div>
      )}
    </Token>
  )
}

function CostToken({ s, apply, after = "", classes }: Part & { readonly classes: number }): JSX.Element {
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
    <Token after={after} label={`Cost: ${word}`} word={word}>
      {() => (
        <WordList
          label="Cost"
          value={s.cost}
          options={[
            { value: "crossEntropy", label: "cross-entropy", note: "Pushes hardest where the answer is surely wrong." },
            {
              value: "quadratic",
              label: "the quadratic cost",
              note: "The squared mistake: its push fades where neurons are saturated.",
            },
          ]}
          onChange={(cost) => apply({ cost })}
        />
      )}
    </Token>
  )
}

function OptimizerToken({ s, apply, after = "" }: Part): JSX.Element {
  const [word] = optimizerWords[s.optimizer]
  return (
    <Token after={after} label={`Optimizer: ${word}`} word={word}>
      {() => (
        <WordList
          label="Optimizer"
          value={s.optimizer}
          options={(Object.keys(optimizerWords) as OptimizerName[]).map((value) => ({
            value,
            label: optimizerWords[value][0],
            note: optimizerWords[value][1],
          }))}
          onChange={(optimizer) => apply({ optimizer })}
        />
      )}
    </Token>
  )
}

function RateToken({ s, apply, after = "" }: Part): JSX.Element {
  const tail = { constant: "", halving: ", halving", steps: ", in steps", cosine: ", easing out" }[s.schedule]
  return (
    <Token after={after} label={`Learning rate: ${rateText(s.rate)}${tail}`} word={`${rateText(s.rate)}${tail}`} eta>
      {() => (
        <div class="stack">
          <NumberRow
            label="Learning rate η"
            value={s.rate}
            min={0}
            max={10}
            scale="log"
            tone="eta"
            zones={["creeps", "walks", "leaps"]}
            onChange={(rate) => apply({ rate })}
          />
          <WordList
            label="How it goes on"
            value={s.schedule}
            options={[
              { value: "constant", label: "stays", note: "May be changed while it trains." },
              { value: "halving", label: "halves", note: `Every ${scheduleEpochs.halving} epochs, little by little.` },
              { value: "steps", label: "in steps", note: `A tenth after every ${scheduleEpochs.steps} epochs.` },
              { value: "cosine", label: "eases out", note: `To 0 in ${scheduleEpochs.cosine} epochs, as a cosine.` },
            ]}
            onChange={(schedule) => apply({ schedule })}
          />
        </div>
      )}
    </Token>
  )
}

function BatchToken({ s, apply, after = "" }: Part): JSX.Element {
  const word = `${s.batch} ${s.batch === 1 ? "point" : "points"}`
  return (
    <Token after={after} label={`Batch size: ${word}`} word={word}>
      {() => (
        <div class="stack">
          <NumberRow
            label="Points in a batch"
            value={s.batch}
            min={1}
            max={2000}
            scale="log"
            whole
            onChange={(batch) => apply({ batch })}
          />
          <Tick
            label="Shuffle the points for every epoch"
            value={s.shuffle}
            onChange={(shuffle) => apply({ shuffle })}
          />
          <p class="dim">Every point is used once in an epoch; the last batch may be smaller.</p>
        </div>
      )}
    </Token>
  )
}

function PenaltyToken({ s, apply, after = "" }: Part): JSX.Element {
  const word = s.regularizer === "none" ? "free weights" : `${strengthWord(s.strength)}${s.regularizer.toUpperCase()}`
  return (
    <Token after={after} label={`Regularization: ${word}`} word={word}>
      {() => (
        <div class="stack">
          <WordList
            label="Regularization"
            value={s.regularizer}
            options={[
              { value: "none", label: "none", note: "Weights may grow freely." },
              { value: "l1", label: "L1", note: "Pulls small weights to 0." },
              { value: "l2", label: "L2", note: "Keeps all weights small." },
            ]}
            onChange={(regularizer) => apply({ regularizer })}
          />
          {s.regularizer !== "none" && (
            <NumberRow
              label="Strength"
              value={s.strength}
              min={0}
              max={0.1}
              scale="log"
              onChange={(strength) => apply({ strength })}
            />
          )}
        </div>
      )}
    </Token>
  )
}

function StopToken({ s, apply, after = "" }: Part): JSX.Element {
  const word = stopWord(s)
  return (
    <Token after={after} label={`Stop rule: ${word}`} word={word}>
      {() => (
        <div class="stack">
          <WordList
            label="Stop rule"
            value={s.stop}
            options={[
              { value: "never", label: "until I stop it" },
              {
                value: "settled",
                label: "until the test cost stops falling",
                note: `No lower for ${PATIENCE} epochs.`,
              },
              { value: "epochs", label: "after a number of epochs" },
            ]}
            onChange={(stop) => apply({ stop })}
          />
          {s.stop === "epochs" && (
            <NumberRow
              label="Epochs"
              value={s.epochs}
              min={1}
              max={100000}
              scale="log"
              whole
              onChange={(epochs) => apply({ epochs })}
            />
          )}
        </div>
      )}
    </Token>
  )
}
