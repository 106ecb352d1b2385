/** A manager of many services, for `supervisor_bench.ts`: says how much memory it needs without them, then `up`. @module */
import { Supervisor } from "../../lib/supervisor/mod.ts";

const [folder = "", program = "", count = "0"] = Deno.args;

function anonymousBytes(): number {
  const [, kib] = /^Anonymous:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/smaps_rollup")) ?? [];
  return Number(kib) * 1024;
}

async function run(services: number, folder: string): Promise<Supervisor> {
  const supervisor = Supervisor.open(
    Array.from({ length: services }, (_, at) => {
      return {
        name: `s${at}`,
        command: { argv: [program] },
        keeper: { segmentBytes: 16_384, retainBytes: 65_536 },
      } as const;
    }),
    folder,
  );
  await supervisor.start(new AbortController().signal);
  return supervisor;
}

// One service loads all that any number of them needs.
await (await run(1, `${folder}/one`)).stop();
const before = anonymousBytes();
const supervisor = await run(Number(count), `${folder}/many`);
const ended = Promise.withResolvers<void>();
Deno.addSignalListener("SIGTERM", () => ended.resolve());
console.log(JSON.stringify({ before }));
await ended.promise;
await supervisor.stop();
