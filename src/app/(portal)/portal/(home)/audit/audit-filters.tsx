"use client";

import { actionWords, objectWords } from "#app/(portal)/portal/(home)/audit/audit-words.ts";
import { useAddress } from "#app/(portal)/portal/(home)/use-address.ts";
import { Select } from "#ui/input.tsx";

/** Which changes to show, kept in the address. */
export function AuditFilters({ hasObjects = false }: { hasObjects?: boolean }) {
  const { read, change } = useAddress();
  return (
    <div className="flex flex-wrap gap-2">
      <Select
        aria-label="Action"
        className="w-full sm:w-64"
        value={read("action")}
        onChange={(event) => change({ action: event.target.value, page: "" })}
      >
        <option value="">Every action</option>
        {Object.entries(actionWords).map(([name, words]) => (
          <option key={name} value={name}>
            {words.replace(/ (to|of)$/, "")}
          </option>
        ))}
      </Select>
      {hasObjects && (
        <Select
          aria-label="Object"
          className="w-full sm:w-48"
          value={read("object")}
          onChange={(event) => change({ object: event.target.value, page: "" })}
        >
          <option value="">Every object</option>
          {Object.entries(objectWords).map(([name, words]) => (
            <option key={name} value={name}>
              {name === "delivery" ? "Deliveries" : `${words.charAt(0).toUpperCase()}${words.slice(1)}s`}
            </option>
          ))}
        </Select>
      )}
    </div>
  );
}
