// Looking at data sets: MNIST's images as a wall, tables with a histogram over each column.

import "./data.css"
import type { JSX } from "preact"
import { useEffect } from "preact/hooks"
import { Link } from "../ui/link.tsx"
import { Images } from "./images.tsx"
import { TableView } from "./table-view.tsx"

interface Set {
  readonly name: string
  readonly title: string
  readonly page: () => JSX.Element
}

const sets: readonly Set[] = [
  { name: "mnist", title: "MNIST", page: () => <Images /> },
  { name: "iris", title: "Iris", page: () => <TableView name="iris" /> },
  { name: "diabetes", title: "Diabetes", page: () => <TableView name="diabetes" /> },
]

/** The page. */
export default function Data({ name }: { readonly name: string }): JSX.Element {
  const set = sets.find((one) => one.name === (name || "mnist"))
  useEffect(() => {
    document.title = `${set?.title ?? "Data"} · trilobite studio`
  }, [set])
  return (
    <main id="main" class="data" tabindex={-1}>
      <nav class="parts" aria-label="Data sets">
        {sets.map((one) => (
          <Link key={one.name} to={`/data/${one.name}`} current={one === set}>
            {one.title}
          </Link>
        ))}
      </nav>
      {set === undefined ? (
        <>
          <h1>There is no such data set</h1>
          <p class="lede">Here are those that the studio knows.</p>
        </>
      ) : (
        set.page()
      )}
    </main>
  )
}
