/** Questions inside results (`input_required`), and the signed state that carries earlier answers. @module */
import { createRequestStateCodec, ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { Answer, Answers, Questions } from "./ask.ts";
import type { Engine } from "./_engine.ts";

/** What a client carries from one round to the next. */
export interface AskState {
  /** The method and name it was made for: state of one tool is not taken by another. */
  readonly what: string;
  readonly answered: Answers;
}

const codecs = new WeakMap<Engine, ReturnType<typeof createRequestStateCodec<AskState>>>();

/** Signs and verifies states of one engine. */
export function stateCodec(engine: Engine): ReturnType<typeof createRequestStateCodec<AskState>> {
  let codec = codecs.get(engine);
  if (codec === undefined) {
    codecs.set(engine, codec = createRequestStateCodec<AskState>({ key: engine.stateKey }));
  }
  return codec;
}

/** The result that asks. */
export async function asksResult(
  engine: Engine,
  what: string,
  { questions, answered }: { questions: Questions; answered: Answers },
): Promise<Record<string, unknown>> {
  const inputRequests = Object.fromEntries(
    Object.entries(questions).map(([key, { method, params }]) => [key, { method, params: params ?? {} }]),
  );
  const requestState = await stateCodec(engine).mint({ what, answered });
  return { resultType: "input_required", inputRequests, requestState };
}

/** All answers so far. @throws {ProtocolError} When the state belongs to something else. */
export function answersIn(
  responses: Readonly<Record<string, unknown>> | undefined,
  state: AskState | undefined,
  what: string,
): Answers {
  if (state !== undefined && state.what !== what) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, "requestState belongs to another call");
  }
  return { ...state?.answered, ...(responses as Record<string, Answer> | undefined) };
}
