import { type ReactNode, useId } from "react";

/** What a field's control takes over so that label, hint and error belong to it. */
export type ControlProps = { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };

type FieldProps = {
  label: string;
  hint?: ReactNode;
  /** What is wrong with the value, as a sentence; absent: nothing. */
  error?: string | undefined;
  isOptional?: boolean;
  children: (control: ControlProps) => ReactNode;
};

/** A control with its label, its hint and what is wrong with it. */
export function Field({ label, hint, error, isOptional = false, children }: FieldProps) {
  const id = useId();
  const described = [...(hint ? [`${id}-hint`] : []), ...(error ? [`${id}-error`] : [])].join(" ");
  const control = {
    id,
    "aria-describedby": described === "" ? undefined : described,
    "aria-invalid": error ? true : undefined,
  };
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
        {isOptional && <span className="font-normal text-quiet"> (optional)</span>}
      </label>
      {children(control)}
      {hint && (
        <p id={`${id}-hint`} className="text-[0.8125rem] text-quiet">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-[0.8125rem] text-bad">
          {error}
        </p>
      )}
    </div>
  );
}
