/** Questions over a message port: each gets a number, and the answer with that number settles it. */
export type ThreadQuestions<Calls extends Record<string, { request: unknown; answer: unknown }>> = {
  ask<Name extends keyof Calls>(name: Name, request: Calls[Name]["request"]): Promise<Calls[Name]["answer"]>;
  /** Settles the question that an answer belongs to. */
  settle(told: { id: number; value?: unknown; error?: string }): void;
  /** Fails every open question: the other side is gone. */
  failAll(error: Error): void;
};

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

/** Makes the asking side; `post` sends one question. */
export function makeThreadQuestions<Calls extends Record<string, { request: unknown; answer: unknown }>>(
  post: (id: number, name: keyof Calls, request: unknown) => void,
): ThreadQuestions<Calls> {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  return {
    ask: (name, request) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        post(lastId, name, request);
      }),
    settle({ id, value, error }) {
      const question = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) question?.resolve(value);
      else question?.reject(new Error(error));
    },
    failAll(error) {
      for (const question of waiting.values()) question.reject(error);
      waiting.clear();
    },
  };
}
