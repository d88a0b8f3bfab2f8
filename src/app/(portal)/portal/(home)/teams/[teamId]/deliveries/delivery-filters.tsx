"use client";

import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import {
  answers,
  type ListedState,
  noFilters,
  ranges,
  states,
} from "#app/(portal)/portal/(home)/teams/[teamId]/deliveries/delivery-address.ts";
import { useTRPC } from "#trpc/client.tsx";
import { Button } from "#ui/button.tsx";
import { Input, Select } from "#ui/input.tsx";

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
