"use client";

import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type Inputs, useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Input, Select } from "#ui/input.tsx";

const states = { pending: "Waiting", delivered: "Delivered", dead: "Failed", suppressed: "Suppressed" } as const;

/** A state that the list can be narrowed to; empty: all of them. */
export type ListedState = keyof typeof states | "";

/** The state that an address names; all of them where it names none that there is. */
export function toState(text: string): ListedState {
  return text === "pending" || text === "delivered" || text === "dead" || text === "suppressed" ? text : "";
}

type ErrorClass = NonNullable<Inputs["deliveries"]["list"]["error_class"]>;

const answers: Readonly<Record<ErrorClass, string>> = {
  no_answer: "No answer",
  refused_credentials: "Refused credentials",
  not_found: "Not found",
  too_large: "Too large",
  rate_limited: "Too many requests",
  refused_record: "Refused the log",
  destination_failed: "Failed itself",
};

/** The kind of answer that an address names; undefined where it names none. */
export function toErrorClass(text: string): ErrorClass | undefined {
  return isAnswer(text) ? text : undefined;
}

function isAnswer(text: string): text is ErrorClass {
  return Object.hasOwn(answers, text);
}

/** So many hours back, by what the address says of it. */
const ranges = { "1": "Last hour", "24": "Last 24 hours", "168": "Last 7 days" } as const;

/** When the calls began at the earliest, by the hours that an address names; undefined where it names none that there are. */
export function toFrom(hours: string, nowMs = Date.now()): string | undefined {
  return Object.hasOwn(ranges, hours) ? new Date(nowMs - Number(hours) * 3_600_000).toISOString() : undefined;
}

/** What takes every filter out of the address. */
export const noFilters = { id: "", state: "", callback: "", answer: "", within: "", cursor: "" };

type DeliveryFiltersProps = {
  teamId: string;
  id: string;
  state: ListedState;
  callbackId: string;
  answer: string;
  within: string;
  onChange: (changes: Record<string, string>) => void;
};

/** Which deliveries to show: those of one call, or of a state and a destination. */
export function DeliveryFilters({ teamId, id, state, callbackId, answer, within, onChange }: DeliveryFiltersProps) {
  const { data: callbacks } = useQuery(useTRPC().callbacks.list.queryOptions({ teamId }));
  const fresh = { id: "", cursor: "" };
  return (
    <div className="flex flex-wrap gap-2">
      <form
        key={id}
        role="search"
        className="flex w-full gap-2 sm:w-96"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get("id");
          onChange({ ...noFilters, id: typeof text === "string" ? text.trim() : "" });
        }}
      >
        <Input
          type="search"
          name="id"
          aria-label="Record id or call id"
          placeholder="Record id or call id"
          maxLength={256}
          defaultValue={id}
        />
        <Button type="submit">
          <Search aria-hidden />
          Find
        </Button>
      </form>
      <Select
        aria-label="State"
        className="min-w-36 flex-1 sm:flex-none"
        value={state}
        onChange={(event) => onChange({ ...fresh, state: event.target.value })}
      >
        <option value="">Every state</option>
        {Object.entries(states).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Answer"
        className="min-w-36 flex-1 sm:flex-none"
        value={answer}
        onChange={(event) => onChange({ ...fresh, answer: event.target.value })}
      >
        <option value="">Every answer</option>
        {Object.entries(answers).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Time"
        className="min-w-36 flex-1 sm:flex-none"
        value={within}
        onChange={(event) => onChange({ ...fresh, within: event.target.value })}
      >
        <option value="">Any time</option>
        {Object.entries(ranges).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      {callbacks && callbacks.length > 1 && (
        <Select
          aria-label="Destination"
          className="min-w-36 flex-1 sm:flex-none"
          value={callbackId}
          onChange={(event) => onChange({ ...fresh, callback: event.target.value })}
        >
          <option value="">Every destination</option>
          {callbacks.map(({ callback_id, callback_name }) => (
            <option key={callback_id} value={callback_id}>
              {callback_name}, …{callback_id.slice(-4)}
            </option>
          ))}
        </Select>
      )}
    </div>
  );
}
