"use client";

import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Input, Select } from "#ui/input.tsx";

const states = { pending: "Waiting", delivered: "Delivered", dead: "Failed", suppressed: "Suppressed" } as const;

/** A state that the list can be narrowed to; empty: all of them. */
export type ListedState = keyof typeof states | "";

/** The state that an address names; all of them where it names none that there is. */
export function toState(text: string | null): ListedState {
  return text === "pending" || text === "delivered" || text === "dead" || text === "suppressed" ? text : "";
}

type DeliveryFiltersProps = {
  teamId: string;
  id: string;
  state: ListedState;
  callbackId: string;
  onChange: (changes: Record<string, string>) => void;
};

/** Which deliveries to show: those of one call, or of a state and a destination. */
export function DeliveryFilters({ teamId, id, state, callbackId, onChange }: DeliveryFiltersProps) {
  const { data: callbacks } = useQuery(useTRPC().callbacks.list.queryOptions({ teamId }));
  const nothing = { id: "", state: "", callback: "", cursor: "" };
  return (
    <div className="flex flex-wrap gap-2">
      <form
        key={id}
        role="search"
        className="flex w-full gap-2 sm:w-96"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get("id");
          onChange({ ...nothing, id: typeof text === "string" ? text.trim() : "" });
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
        onChange={(event) => onChange({ ...nothing, callback: callbackId, state: event.target.value })}
      >
        <option value="">Every state</option>
        {Object.entries(states).map(([value, label]) => (
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
          onChange={(event) => onChange({ ...nothing, state, callback: event.target.value })}
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
