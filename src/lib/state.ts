/**
 * A cell on `globalThis`. Modules exist twice in one process (ours and the portal's bundle), so what must exist once
 * lives here and nowhere else.
 */
export type StateCell<T> = {
  /** The value; throws where nothing was set yet. */
  get(): T;
  /** The value, or undefined where nothing was set yet. */
  find(): T | undefined;
  set(value: T): void;
  clear(): void;
};

const cells: Map<string, unknown> = ((globalThis as { sluiceState?: Map<string, unknown> }).sluiceState ??= new Map());

/** Makes the accessor of the process-wide cell called `name`. */
export function stateCell<T>(name: string): StateCell<T> {
  return {
    get() {
      if (!cells.has(name)) throw new Error(`The state "${name}" was read before it was set.`);
      return cells.get(name) as T;
    },
    find: () => cells.get(name) as T | undefined,
    set: (value) => void cells.set(name, value),
    clear: () => void cells.delete(name),
  };
}
