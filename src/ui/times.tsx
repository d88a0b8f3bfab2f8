"use client";

import { createContext, type ReactNode, useContext, useState } from "react";
import { timesCookie } from "#ui/times-cookie.ts";
import { useIsAlive } from "#ui/use-is-alive.ts";

type Times = { renderedAt: number; isAlive: boolean; isUtc: boolean; setUtc: (isUtc: boolean) => void };

const Context = createContext<Times>({ renderedAt: 0, isAlive: true, isUtc: false, setUtc: () => undefined });
const keptSeconds = 365 * 86_400;

type TimesProviderProps = {
  /** When the server drew the page, in milliseconds. */
  renderedAt: number;
  startsInUtc: boolean;
  children: ReactNode;
};

/** Lets everything inside show times as one wants them, the same from the server as at first in the browser. */
export function TimesProvider({ renderedAt, startsInUtc, children }: TimesProviderProps) {
  const isAlive = useIsAlive();
  const [isUtc, setUtc] = useState(startsInUtc);
  const keep = (wanted: boolean): void => {
    setUtc(wanted);
    const seconds = wanted ? keptSeconds : 0;
    document.cookie = `${timesCookie}=utc; path=/portal; max-age=${String(seconds)}; samesite=lax`;
  };
  return <Context value={{ renderedAt, isAlive, isUtc, setUtc: keep }}>{children}</Context>;
}

/** How times are shown. `now` and `timeZone` (undefined: the browser's own) are the server's until the page is alive. */
export function useTimes() {
  const { renderedAt, isAlive, isUtc, setUtc } = useContext(Context);
  return {
    now: isAlive ? Date.now() : renderedAt,
    timeZone: isAlive && !isUtc ? undefined : "UTC",
    isUtc,
    setUtc,
  };
}
