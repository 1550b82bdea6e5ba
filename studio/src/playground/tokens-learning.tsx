// The words of the sentence that say how it is learnt: optimizer, rate, batches, penalty, end.

import type { JSX } from "preact"
import { rate as rateText } from "../ui/format.ts"
import { type OptimizerName, PATIENCE, scheduleEpochs } from "./settings.ts"
import { NumberRow, Tick, Token, WordList } from "./token.tsx"
import type { Part } from "./tokens-data.tsx"
import { optimizerWords, stopWord, strengthWord } from "./words.tsx"

/** The optimizer. */
export function OptimizerToken({ s, of, after = "" }: Part): JSX.Element {
  const [word] = optimizerWords[s.optimizer]
  return (
    <Token after={after} name="Optimizer" word={word}>
      {() => (
        <WordList
          label="Optimizer"
          {...of("optimizer")}
          options={(Object.keys(optimizerWords) as OptimizerName[]).map((value) => ({
            value,
            label: optimizerWords[value][0],
            note: optimizerWords[value][1],
          }))}
        />
      )}
    </Token>
  )
}

/** The learning rate and how it goes on. */
export function RateToken({ s, of, after = "" }: Part): JSX.Element {
  const tail = { constant: "", halving: ", halving", steps: ", in steps", cosine: ", easing out" }[s.schedule]
  return (
    <Token after={after} name="Learning rate" word={`${rateText(s.rate)}${tail}`} eta>
      {() => (
        <div class="stack">
          <NumberRow
            label="Learning rate η"
            {...of("rate")}
            min={0}
            max={10}
            scale="log"
            tone="eta"
            zones={["creeps", "walks", "leaps"]}
          />
          <WordList
            label="How it goes on"
            {...of("schedule")}
            options={[
              { value: "constant", label: "stays", note: "May be changed while it trains." },
              { value: "halving", label: "halves", note: `Every ${scheduleEpochs.halving} epochs, little by little.` },
              { value: "steps", label: "in steps", note: `A tenth after every ${scheduleEpochs.steps} epochs.` },
              { value: "cosine", label: "eases out", note: `To 0 in ${scheduleEpochs.cosine} epochs, as a cosine.` },
            ]}
          />
        </div>
      )}
    </Token>
  )
}

/** The batch size and the order. */
export function BatchToken({ s, of, after = "" }: Part): JSX.Element {
  const word = `${s.batch} ${s.batch === 1 ? "point" : "points"}`
  return (
    <Token after={after} name="Batch size" word={word}>
      {() => (
        <div class="stack">
          <NumberRow label="Points in a batch" {...of("batch")} min={1} max={2000} scale="log" whole />
          <Tick label="Shuffle the points for every epoch" {...of("shuffle")} />
          <p class="dim">Every point is used once in an epoch; the last batch may be smaller.</p>
        </div>
      )}
    </Token>
  )
}

/** What is added for large weights. */
export function PenaltyToken({ s, of, after = "" }: Part): JSX.Element {
  const word = s.regularizer === "none" ? "free weights" : `${strengthWord(s.strength)}${s.regularizer.toUpperCase()}`
  return (
    <Token after={after} name="Regularization" word={word}>
      {() => (
        <div class="stack">
          <WordList
            label="Regularization"
            {...of("regularizer")}
            options={[
              { value: "none", label: "none", note: "Weights may grow freely." },
              { value: "l1", label: "L1", note: "Pulls small weights to 0." },
              { value: "l2", label: "L2", note: "Keeps all weights small." },
            ]}
          />
          {s.regularizer !== "none" && <NumberRow label="Strength" {...of("strength")} min={0} max={0.1} scale="log" />}
        </div>
      )}
    </Token>
  )
}

/** When it stops. */
export function StopToken({ s, of, after = "" }: Part): JSX.Element {
  const word = stopWord(s)
  return (
    <Token after={after} name="Stop rule" word={word}>
      {() => (
        <div class="stack">
          <WordList
            label="Stop rule"
            {...of("stop")}
            options={[
              { value: "never", label: "until I stop it" },
              {
                value: "settled",
                label: "until the test cost stops falling",
                note: `No lower for ${PATIENCE} epochs.`,
              },
              { value: "epochs", label: "after a number of epochs" },
            ]}
          />
          {s.stop === "epochs" && <NumberRow label="Epochs" {...of("epochs")} min={1} max={100000} scale="log" whole />}
        </div>
      )}
    </Token>
  )
}
