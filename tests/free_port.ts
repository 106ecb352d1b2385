/** Ports for servers of tests. @module */

/** Below those that the kernel gives to connections: thousands of them come and go while other tests load servers. */
const [FIRST, COUNT] = [15_000, 15_000] as const;
const TRIES = 100;

/** A TCP port of 127.0.0.1 on which nobody listens now. */
export function freePort(): number {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`Cannot find a free port: ${TRIES} are taken`);
}
