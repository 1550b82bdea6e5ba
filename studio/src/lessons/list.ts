// The lessons in their order, and the parts of each. Names are the ends of their addresses.

/** A part of a lesson: a page of its own. */
export interface Part {
  readonly name: string
  readonly title: string
}

/** A stop of the trail. */
export interface Lesson {
  readonly title: string
  /** The word under its stop. */
  readonly stop: string
  readonly parts: readonly Part[]
}

/** The seven lessons. */
export const lessons: readonly Lesson[] = [
  {
    title: "Costs",
    stop: "Costs",
    parts: [
      { name: "costs", title: "Two curves" },
      { name: "saturated", title: "Saturated neurons" },
    ],
  },
  {
    title: "The trilobite",
    stop: "The trilobite",
    parts: [
      { name: "trilobite", title: "One parameter" },
      { name: "mountain", title: "Two parameters" },
      { name: "escape", title: "Escape" },
    ],
  },
  { title: "Batches and epochs", stop: "Batches", parts: [{ name: "batches", title: "Batches and epochs" }] },
  { title: "Backpropagation", stop: "Backward", parts: [{ name: "backpropagation", title: "Backpropagation" }] },
  { title: "Speed of learning", stop: "Speed", parts: [{ name: "speed", title: "Speed of learning" }] },
  {
    title: "The intermediate net",
    stop: "A real net",
    parts: [{ name: "intermediate", title: "The intermediate net" }],
  },
  { title: "Hyperparameters", stop: "Knobs", parts: [{ name: "knobs", title: "Hyperparameters" }] },
]

/** The lesson that has a part of this name, counted from 0. */
export function lessonOf(part: string): number {
  return lessons.findIndex(({ parts }) => parts.some(({ name }) => name === part))
}

/** The part that comes after this one. */
export function after(part: string): Part | undefined {
  const all = lessons.flatMap(({ parts }) => parts)
  return all[all.findIndex(({ name }) => name === part) + 1]
}
