import type { Procedures, SluiceErrorShape } from "#client/contract.ts";

/** The gateway's router as tRPC's own clients and its bindings to React Query take it: `createTRPCClient<AppRouter>`. */
export type AppRouter = {
  _def: {
    _config: {
      $types: { ctx: object; meta: object; errorShape: SluiceErrorShape; transformer: false };
      transformer: never;
      errorFormatter: never;
      allowOutsideOfServer: boolean;
      isServer: boolean;
      isDev: boolean;
    };
    router: true;
    procedures: Procedures;
    record: Procedures;
    lazy: Record<string, never>;
  };
  createCaller: never;
};
