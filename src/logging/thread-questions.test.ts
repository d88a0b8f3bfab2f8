import { expect, test } from "vitest";
import { makeThreadQuestions } from "#logging/thread-questions.ts";

type Calls = { double: { request: number; answer: number } };

test("each answer settles its own question, and a question to a dead thread fails at once", async () => {
  const sent: { id: number; request: unknown }[] = [];
  const questions = makeThreadQuestions<Calls>((id, _name, request) => void sent.push({ id, request }));
  const first = questions.ask("double", 1);
  const second = questions.ask("double", 2);
  const third = questions.ask("double", 3);
  questions.settle({ id: sent[1]?.id ?? 0, value: 4 });
  questions.settle({ id: sent[0]?.id ?? 0, error: "no" });
  questions.settle({ id: 999, value: 1 });
  expect(await second).toBe(4);
  await expect(first).rejects.toThrow("no");
  questions.failAll(new Error("gone"));
  await expect(third).rejects.toThrow("gone");
  const fourth = questions.ask("double", 4);
  questions.settle({ id: sent[3]?.id ?? 0, value: 8 });
  expect(await fourth).toBe(8);
});
