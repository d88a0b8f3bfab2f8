"use client";

import type { ComponentProps } from "react";
import type { Inputs } from "#trpc/client.tsx";
import { Select } from "#ui/input.tsx";

/** What somebody is in the whole gateway. */
export type Role = Inputs["users"]["setRole"]["role"];

/** The roles in words, the ones with most rights first. */
export const roleWords: Readonly<Record<Role, string>> = {
  proxy_admin: "Administrator",
  proxy_admin_viewer: "Viewer of everything",
  internal_user: "User",
  internal_user_viewer: "Viewer of own teams",
};

/** The role that a text names; that of a user where it names none. */
export function toRole(text: string): Role {
  return text === "proxy_admin" || text === "proxy_admin_viewer" || text === "internal_user_viewer"
    ? text
    : "internal_user";
}

type RoleSelectProps = Omit<ComponentProps<typeof Select>, "value" | "onChange"> & {
  value: Role;
  onPick: (role: Role) => void;
};

/** A choice of the roles of the gateway. */
export function RoleSelect({ onPick, ...rest }: RoleSelectProps) {
  return (
    <Select {...rest} onChange={(event) => onPick(toRole(event.target.value))}>
      {Object.entries(roleWords).map(([role, words]) => (
        <option key={role} value={role}>
          {words}
        </option>
      ))}
    </Select>
  );
}
