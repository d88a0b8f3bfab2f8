"use client";

import type { UseFormRegisterReturn } from "react-hook-form";
import type { Outputs } from "#trpc/client.tsx";
import { Field } from "#ui/field.tsx";
import { Input, Select, Textarea } from "#ui/input.tsx";

type VarFieldProps = {
  described: Outputs["destinations"]["list"][number]["vars"][number];
  error: string | undefined;
  register: UseFormRegisterReturn;
};

/** The control of one variable, by what the destination says of it. */
export function VarField({ described, error, register }: VarFieldProps) {
  const { name, title, description, isSecret, type, choices, defaultValue } = described;
  return (
    <Field label={title} hint={description} error={error}>
      {(control) => {
        if (type === "choice" || type === "boolean") {
          return (
            <Select {...control} {...register}>
              <option value="">Default</option>
              {(type === "boolean" ? ["true", "false"] : choices).map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
            </Select>
          );
        }
        if (name.endsWith("_json"))
          return <Textarea {...control} {...register} spellCheck={false} autoComplete="off" />;
        const look = isSecret ? { className: "font-mono" } : {};
        return (
          <Input
            {...control}
            {...register}
            {...look}
            placeholder={defaultValue ?? undefined}
            spellCheck={false}
            autoComplete="off"
          />
        );
      }}
    </Field>
  );
}
