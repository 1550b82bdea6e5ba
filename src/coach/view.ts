// Evidence as rules read it: lengths of steps, agreement of gradients, shares of what there is to gain. Knows no rule.

import type { EpochFacts, Evidence, KernelFacts, LayerFacts, LayerLook, Seen } from "./evidence.ts"

/** A number that was seen; what is beyond numbers is Infinity. */
export function numberOf(seen: Seen | undefined): number | undefined {
  return seen === "infinite" ? Number.POSITIVE_INFINITY : seen
}

/** What rules ask of the evidence. Everything is computed when it is asked for. */
export class View {
  readonly evidence: Evidence

  constructor(evidence: Evidence) {
    this.evidence = evidence
  }

  get epochs(): readonly EpochFacts[] {
    return this.evidence.epochs
  }

  get last(): EpochFacts | undefined {
    return this.epochs.at(-1)
  }

  /** Whether no further epoch comes. */
  get ended(): boolean {
    return this.evidence.ended !== undefined
  }

  /** Layers of neurons before the output. */
  get hidden(): readonly LayerFacts[] {
    return this.evidence.network.layers.filter(({ hasKernel, isOutput }) => hasKernel && !isOutput)
  }

  /** Classes are told apart, not numbers estimated. */
  get classifies(): boolean {
    return this.evidence.network.task !== "numbers"
  }

  /** The training loss of each epoch. */
  get losses(): readonly number[] {
    return this.epochs.map(({ loss }) => numberOf(loss)!)
  }

  /** The validation loss of each epoch that has one, with its place. */
  get valLosses(): readonly { readonly epoch: number; readonly at: number; readonly loss: number }[] {
    return this.epochs.flatMap(({ epoch, valLoss }, at) => {
      return valLoss === undefined ? [] : [{ epoch, at, loss: numberOf(valLoss)! }]
    })
  }

  /** The loss of always saying the mean of the targets; without data, the loss before the first step. */
  get baseline(): number | undefined {
    const { data, probe } = this.evidence
    const known = data?.targets.baseline
    if (known !== undefined && known > 0) return known
    const before = numberOf(probe?.loss)
    return before !== undefined && before > 0 && Number.isFinite(before) ? before : undefined
  }

  /** What share of the baseline a loss has taken away: 0 is no better than always saying the mean, 1 is perfect. */
  gainOf(loss: number | undefined): number | undefined {
    const { baseline } = this
    if (loss === undefined || baseline === undefined) return undefined
    return Number.isFinite(loss) ? (baseline - loss) / baseline : Number.NEGATIVE_INFINITY
  }

  /** The gain of the last epoch, and of the best one. */
  get gain(): number | undefined {
    return this.gainOf(this.losses.at(-1))
  }

  get bestGain(): number | undefined {
    return this.epochs.length === 0 ? undefined : this.gainOf(this.losses.reduce((a, b) => Math.min(a, b)))
  }

  /** By what share of its length a kernel moves in a step: the root of the mean square of the steps; the greatest of all kernels. */
  stepShare(epoch: EpochFacts | undefined): { readonly share: number; readonly layer: string } | undefined {
    let found: { share: number; layer: string } | undefined
    for (const { layer, length, step } of epoch?.kernels ?? []) {
      if (!(length > 0)) continue
      const share = numberOf(step)! / length
      if (found === undefined || share > found.share) found = { share, layer }
    }
    return found
  }

  /** How far the gradients of an epoch agree: 1 if all are alike, one over their number if they are noise. */
  coherence(epoch: EpochFacts | undefined): number | undefined {
    const sum = (of: (kernel: KernelFacts) => Seen): number =>
      (epoch?.kernels ?? []).reduce((total, kernel) => total + numberOf(of(kernel))!, 0)
    const squares = sum((k) => k.gradientSquare)
    if (!(squares > 0) || !Number.isFinite(squares)) return undefined
    return sum((k) => k.meanGradientSquare) / squares
  }

  /** The share of epochs whose loss is so much above that of the one before. */
  rises(by: number): number {
    const { losses } = this
    const rising = losses.filter((loss, i) => i > 0 && loss > losses[i - 1]! * (1 + by)).length
    return losses.length < 2 ? 0 : rising / (losses.length - 1)
  }

  /** The newest epoch at which losses elsewhere were looked at, and the least of them as a share of the loss where the weights stand. */
  get ahead(): { readonly share: number; readonly steps: number; readonly mean: number | undefined } | undefined {
    const looked = this.epochs.findLast(({ ahead }) => ahead !== undefined)?.ahead
    const here = numberOf(looked?.here)
    if (looked === undefined || here === undefined || !(here > 0)) return undefined
    const places = looked.at.map(({ steps, loss }) => ({ steps, share: numberOf(loss)! / here }))
    const best = places.reduce<{ steps: number; share: number } | undefined>((a, b) => {
      return a === undefined || b.share < a.share ? b : a
    }, undefined)
    const mean = numberOf(looked.atMean)
    return {
      share: best?.share ?? Number.POSITIVE_INFINITY,
      steps: best?.steps ?? 0,
      mean: mean === undefined ? undefined : mean / here,
    }
  }

  /** Looks at hidden layers, the newest ones: of the last epoch that has some, else of the beginning. */
  get looks(): readonly LayerLook[] {
    return this.hiddenOf(
      this.epochs.findLast(({ layers }) => layers !== undefined)?.layers ?? this.evidence.probe?.layers,
    )
  }

  /** Looks before the first step. */
  get begun(): readonly LayerLook[] {
    return this.hiddenOf(this.evidence.probe?.layers)
  }

  hiddenOf(looks: readonly LayerLook[] = []): readonly LayerLook[] {
    const names = new Set(this.hidden.map(({ name }) => name))
    return looks.filter(({ layer }) => names.has(layer))
  }

  /** The share of the training that is behind: 1 when it has ended. */
  get behind(): number {
    return this.ended ? 1 : this.epochs.length / this.evidence.training.epochs
  }

  /** True if the loss has hardly moved over the last quarter of the epochs (at least three), seen against the baseline. */
  get stands(): boolean {
    const { losses, baseline } = this
    const n = Math.max(3, Math.ceil(losses.length / 4))
    if (losses.length <= n || baseline === undefined) return false
    const part = losses.slice(-n)
    return Math.max(...part) - Math.min(...part) < 0.03 * baseline
  }
}
