import type { ComponentProps, ReactNode } from "react";
import { classNames } from "#ui/class-names.ts";

type TableProps = {
  label: string;
  head: readonly string[];
  /** Where the screen is narrow, the cells of a row stand below each other, for rows that are read and acted upon. */
  isStacked?: boolean;
  children: ReactNode;
};

/** Rows under column names; scrolls sideways where the screen is narrow. An empty name is for screen readers alone. */
export function Table({ label, head, isStacked = false, children }: TableProps) {
  return (
    // What is for screen readers alone stands outside the flow; without a place of its own here it would widen the page.
    <div className="relative overflow-x-auto" tabIndex={0} role="region" aria-label={label}>
      <table className="group/table w-full text-left max-sm:data-stacked:block" data-stacked={isStacked || undefined}>
        <thead className="max-sm:group-data-stacked/table:sr-only">
          <tr className="border-b text-xs text-quiet">
            {head.map((name, index) => (
              <th
                key={name === "" ? index : name}
                scope="col"
                className="px-4 py-2 font-medium whitespace-nowrap sm:px-5"
              >
                {name === "" ? <span className="sr-only">Actions</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y max-sm:group-data-stacked/table:block">{children}</tbody>
      </table>
    </div>
  );
}

/** One row. */
export function Row(props: ComponentProps<"tr">) {
  return (
    <tr
      {...props}
      className={classNames(
        "hover:bg-sunken/60 max-sm:group-data-stacked/table:block max-sm:group-data-stacked/table:py-2",
        props.className,
      )}
    />
  );
}

/** One cell. */
export function Cell({ className, ...rest }: ComponentProps<"td">) {
  return (
    <td
      {...rest}
      className={classNames(
        "px-4 py-2.5 align-middle max-sm:group-data-stacked/table:block max-sm:group-data-stacked/table:py-1 sm:px-5",
        className,
      )}
    />
  );
}
