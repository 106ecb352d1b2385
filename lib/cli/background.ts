/** Programs that go on in the background: started by whoever needs them first, and waited for. @module */
import { sleep } from "../async/time.ts";

/** Until a program in the background answers, or says why it cannot. */
const LIMIT_MS = 15_000;
const ASK_AGAIN_MS = 20;
/** When it has ended another one, started at the same moment, may answer in its place within this. */
const OTHER_MS = 2_000;

/**
 * Starts a program in a session of its own, on nobody's terminal; resolves once `answers` is true. Where it ends before,
 * another one may answer in its place for `otherMs` yet.
 * @throws {Error} When that does not come about, with what the program said last.
 */
export async function startInBackground(
  [program, ...args]: readonly [string, ...string[]],
  answers: () => Promise<boolean>,
  { otherMs = OTHER_MS }: { readonly otherMs?: number } = {},
): Promise<void> {
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const said = new Response(child.stderr).text();
  let ended: string | undefined;
  void child.status.then(async ({ code }) => {
    ended = `it ended with ${code}: ${(await said).trim()}`;
  });
  let limitMs = performance.now() + LIMIT_MS;
  while (!await answers()) {
    if (ended !== undefined) limitMs = Math.min(limitMs, performance.now() + otherMs);
    if (performance.now() > limitMs) {
      throw new Error(
        `Cannot start ${program} in the background: ${ended ?? `no answer within ${LIMIT_MS / 1_000} s`}`,
      );
    }
    await sleep(ASK_AGAIN_MS);
  }
  child.unref();
}
