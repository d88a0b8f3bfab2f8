/** Any value that JSON carries. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** What every procedure of the router has, in the shape from which tRPC's own clients read it. */
type Procedure<Kind extends "query" | "mutation", Input, Output> = {
  _def: {
    procedure: true;
    type: Kind;
    meta: unknown;
    experimental_caller: boolean;
    inputs: never[];
    $types: { input: Input; output: Output; errorShape: unknown };
  };
  meta: unknown;
  (call: unknown): Promise<Output>;
};

/** A procedure that reads. */
export type Query<Input, Output> = Procedure<"query", Input, Output>;

/** A procedure that changes something. */
export type Mutation<Input, Output> = Procedure<"mutation", Input, Output>;
