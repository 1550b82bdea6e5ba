// Lesson 4: a small net whose numbers run forwards and backwards, each explained by its formula; weights can be nudged.

import "./backprop.css"
import { batch, computed, type ReadonlySignal, type Signal, signal, useSignalEffect } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useMemo, useRef } from "preact/hooks"
import { type Running, start } from "../engine/client.ts"
import type { Answered, Asked } from "../engine/jobs/backprop.ts"
import { Button, Choice, Slider } from "../ui/controls.tsx"
import { cost, plain, signed } from "../ui/format.ts"
import { useKeys } from "../ui/keys.ts"
import { Formula, LessonPage, once, still, useWalk } from "../ui/lesson.tsx"
import { maths } from "../ui/maths.tsx"
import { speak } from "../ui/said.ts"
import { useWidth } from "../ui/size.ts"
import { Stays } from "../ui/stays.tsx"
import { type State, useUrlState } from "../ui/url.ts"
import { dCdw, delta, Explain } from "./backprop-explain.tsx"
import { Net, neuronName } from "./backprop-figure.tsx"
import { Hand } from "./backprop-hand.tsx"
import {
  COUNT,
  compute,
  drawn,
  farthest,
  flat,
  type Numbers,
  type Params,
  type Question,
  stepped,
  unflat,
} from "./backprop-net.ts"
import { keys, partsOf, STEPS, type View } from "./backprop-state.ts"

/** Milliseconds of a pulse, and at a step while walking. */
const PULSE = 480
const AT_STEP = 1000

interface Facts {
  readonly params: ReadonlySignal<Params>
  readonly question: ReadonlySignal<Question>
  readonly numbers: ReadonlySignal<Numbers>
  /** The greatest difference between the formulas and the library; undefined while it computes. */
  readonly apart: ReadonlySignal<number | undefined>
}

/** The numbers of the page: the library's as soon as it has answered, by the formulas of the lesson until then. */
function useFacts(state: State<View>): Facts {
  const own = useMemo(() => {
    const params = computed(() => (state.w.value.length === COUNT ? unflat(state.w.value) : drawn(state.seed.value)))
    const question = computed<Question>(() => ({
      x: [state.x.value[0]!, state.x.value[1]!],
      y: state.y.value,
      act: state.act.value,
      cost: state.cost.value,
    }))
    const formula = computed(() => compute(params.value, question.value))
    const asked = signal(0)
    const answer = signal<Answered | undefined>(undefined)
    const current = computed(() => (answer.value?.id === asked.value ? answer.value.numbers : undefined))
    const facts: Facts = {
      params,
      question,
      numbers: computed(() => current.value ?? formula.value),
      apart: computed(() => current.value && farthest(current.value, formula.value)),
    }
    return { facts, asked, answer }
  }, [])
  useEffect(() => {
    const { facts, asked, answer } = own
    const job: Running<Asked> = start("backprop", {}, (event) => {
      answer.value = event
    })
    let frame = 0
    const stop = computed(() => [facts.params.value, facts.question.value] as const).subscribe(([params, question]) => {
      const id = asked.peek() + 1
      asked.value = id
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => job.tell({ id, params, ...question }))
    })
    return () => {
      stop()
      cancelAnimationFrame(frame)
      job.stop()
    }
  }, [])
  return own.facts
}

/** The page. */
export default function Backpropagation(): JSX.Element {
  const state = useUrlState(keys)
  const facts = useFacts(state)
  const { params, question, numbers, apart } = facts
  const walking = useMemo(() => signal(false), [])
  const way = useMemo(() => signal(1), [])
  const pulsing = useMemo(() => signal(false), [])
  const costs = useMemo(() => signal<readonly number[]>([]), [])
  const nudged = useMemo(() => signal(0), [])
  const [box, width] = useWidth(0)
  const { step, eta, sel } = state

  const pulse = (): void => {
    if (still()) return
    way.value = 0
    pulsing.value = true
  }
  useWalk(pulsing, (ms) => {
    way.value = Math.min(1, way.peek() + ms / PULSE)
    if (way.peek() >= 1) pulsing.value = false
  })
  const forward = (): void => {
    const last = step.peek() === STEPS.length - 1
    batch(() => {
      if (last) {
        costs.value = [...costs.peek(), numbers.peek().cost]
        state.w.value = flat(stepped(params.peek(), numbers.peek(), eta.peek()))
      }
      step.value = last ? 0 : step.peek() + 1
    })
    pulse()
    speak(last ? `The weights have moved. The cost is ${cost(numbers.peek().cost)}.` : STEPS[step.peek()]!)
  }
  const rest = (): void => {
    walking.value = false
  }
  const on = (): void => {
    rest()
    forward()
  }
  const back = (): void => {
    rest()
    step.value = Math.max(0, step.peek() - 1)
  }
  const waited = useRef(0)
  useWalk(walking, (ms) => {
    waited.current += ms
    if (waited.current < AT_STEP) return
    waited.current = 0
    forward()
  })
  const walk = (): void => {
    waited.current = AT_STEP
    walking.value = !walking.peek()
  }
  const again = (): void => {
    rest()
    batch(() => {
      for (const name of Object.keys(keys) as (keyof View)[]) (state[name] as Signal).value = keys[name].initial
      costs.value = []
    })
  }
  const other = (): void => {
    rest()
    batch(() => {
      state.seed.value = (state.seed.peek() + 1) % 1000
      state.w.value = []
      costs.value = []
    })
  }
  useKeys({ " ": walk, s: on, ArrowRight: on, ArrowLeft: back, r: again })

  const tasks = useMemo(
    () => [
      {
        text: "Nudge a weight by 0.01. Does the cost change by what is written on it, a hundredth of it?",
        done: once(() => nudged.value !== 0 && Math.abs(nudged.value) < 0.051),
      },
      {
        text: "Walk once round: forwards in ink, backwards in ember, and the update.",
        done: once(() => costs.value.length > 0),
      },
      {
        text: "Click a neuron of the first hidden layer. Whose δ does it add up?",
        done: once(() => sel.value.startsWith("n-1")),
      },
      {
        text: "Switch to the quadratic cost. Is the δ of the output larger or smaller?",
        done: once(() => state.cost.value === "quadratic"),
      },
    ],
    [],
  )
  const now = numbers.value
  return (
    <LessonPage
      part="backpropagation"
      title="Backpropagation"
      lede="The cost is known at the very end. Who was to blame for it is told backwards, along the same edges."
      figureLabel="A net of 2, 3, 2 and 1 neurons with its values, and the formula of what is selected"
      tasks={tasks}
      keys={[
        [["space"], "walk"],
        [["s", "→"], "step"],
        [["←"], "back"],
        [["r"], "start again"],
      ]}
      figure={
        <div class="fig-in bp-fig">
          <div class="bp-head">
            <Choice
              label="Hidden activation"
              value={state.act}
              options={[
                { value: "sigmoid", label: "sigmoid" },
                { value: "tanh", label: "tanh" },
              ]}
            />
            <Choice
              label="Cost"
              value={state.cost}
              options={[
                { value: "cross-entropy", label: "cross-entropy" },
                { value: "quadratic", label: "quadratic" },
              ]}
            />
            <Choice
              label="Wanted answer"
              value={state.y}
              options={[
                { value: 0, label: "wanted 0" },
                { value: 1, label: "wanted 1" },
              ]}
            />
          </div>
          <Stays>
            <div ref={box}>
              {width > 0 && (
                <Net
                  width={width}
                  params={params.value}
                  numbers={now}
                  y={state.y.value}
                  step={step.value}
                  sel={sel}
                  way={way.value}
                  costs={costs.value}
                />
              )}
            </div>
          </Stays>
          <div class="bp-bar">
            <div class="row">
              <Button main icon={walking.value ? "pause" : "play"} onClick={walk}>
                {walking.value ? "Pause" : "Walk"}
              </Button>
              <Button icon="step" onClick={on}>
                Step
              </Button>
              <Button quiet icon="again" label="Start again" onClick={again} />
            </div>
            <p class="bp-now" role="status">
              {STEPS[step.value]}
              <span class="dim">
                step {step.value + 1} of {STEPS.length}
              </span>
            </p>
          </div>
          <div class="bp-low">
            <Explain sel={sel.value} params={params.value} numbers={now} question={question.value} rate={eta.value} />
            <Hand state={state} params={params} question={question} nudged={nudged} />
          </div>
          <div class="bp-given">
            <Input state={state} place={0} />
            <Input state={state} place={1} />
            <Slider
              label="Learning rate"
              symbol={maths`η`}
              tone="eta"
              value={eta}
              min={0.01}
              max={10}
              scale="log"
              initial={0.5}
            />
          </div>
        </div>
      }
    >
      <div class="prose">
        <p>
          Forwards, each neuron adds up what comes in and passes on its activation. Then the cost turns the tide:{" "}
          {maths`${delta}`} says how much the cost would change if a neuron's sum changed, and each layer gets it from
          the one behind.
        </p>
        <p>
          An edge needs two numbers only: what it carried, and the {maths`${delta}`} at its end. Their product is its
          gradient, written on it in ember. Nudge the weight, and the cost moves by just that.
        </p>
      </div>
      <Formula
        label="The gradient of a weight"
        rows={[
          ["", maths`${dCdw} = ${delta} · a`],
          ["now", nowText(sel.value, now)],
        ]}
      />
      <p class="bp-agree" role="status">
        {apart.value === undefined
          ? "The library computes the same."
          : `The library says the same: all activations, the cost and ${COUNT} gradients, at most ${cost(apart.value)} apart.`}
      </p>
      <p>
        <button type="button" class="link" onClick={other}>
          Draw other weights (seed {state.seed.value})
        </button>
      </p>
    </LessonPage>
  )
}

function nowText(sel: string, { a, delta, gradients }: Numbers): JSX.Element {
  const { edge, at } = partsOf(sel)
  if (!edge) return <span class="dim">{`${neuronName(at[0]!, at[1]!)} is selected`}</span>
  const [l, i, j] = at as [number, number, number]
  return (
    <>
      <span class="ember">{cost(delta[l]![j]!)}</span> × {plain(a[l]![i]!, 3)} ={" "}
      <span class="ember">{cost(gradients[l]![i]![j]!)}</span>
    </>
  )
}

/** One input as a slider. */
function Input({ state, place }: { readonly state: State<View>; readonly place: 0 | 1 }): JSX.Element {
  const own = useMemo(() => signal(state.x.peek()[place]!), [])
  useSignalEffect(() => {
    own.value = state.x.value[place]!
  })
  return (
    <Slider
      label={`Input ${place + 1}`}
      symbol={place === 0 ? maths`x₁` : maths`x₂`}
      value={own}
      min={-2}
      max={2}
      step={0.05}
      initial={keys.x.initial[place]!}
      format={(v) => signed(v)}
      onChange={(v) => {
        state.x.value = place === 0 ? [v, state.x.peek()[1]!] : [state.x.peek()[0]!, v]
      }}
    />
  )
}
