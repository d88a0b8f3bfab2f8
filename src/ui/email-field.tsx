import { Field } from "#ui/field.tsx";
import { Input } from "#ui/input.tsx";

/** Asks for somebody else's e-mail address, so the browser does not offer one's own. */
export function EmailField({ value, onPick }: { value: string; onPick: (email: string) => void }) {
  return (
    <Field label="E-mail">
      {(control) => (
        <Input
          {...control}
          type="email"
          required
          maxLength={254}
          autoComplete="off"
          value={value}
          onChange={(event) => onPick(event.target.value)}
        />
      )}
    </Field>
  );
}
