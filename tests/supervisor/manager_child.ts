/** A manager to be killed: supervises the services of `kill_test.ts` and restarts them at random. @module */
import { becomeProgram, hearSignals } from "../../ffi/sys/mod.ts";
import { BusyError, type ServiceSpec, Supervisor } from "../../lib/supervisor/mod.ts";

const [folder = "", steady = "0", mode = "run"] = Deno.args;

/** Says 0, 1, 2, ... until it is ended. */
const COUNT = `$| = 1; for (my $i = 0; ; $i++) { print "$i\\n"; select(undef, undef, undef, 0.001) }`;
/** Says some numbers, then its exit code, and ends with that. */
const CRASH = `$| = 1; my $n = int(rand(60)); my $c = 1 + int(rand(9));
for (my $i = 0; $i < $n; $i++) { print "$i\\n"; select(undef, undef, undef, 0.001) } print "exit $c\\n"; exit $c`;

export const KILLED_SERVICES = [
  "count0",
  "count1",
  "restarted",
  "swapped",
  "crash0",
  "crash1",
  "built",
] as const;

function spec(name: string): ServiceSpec {
  const isCrash = name.startsWith("crash");
  return {
    name,
    command: { argv: ["/usr/bin/perl", "-e", isCrash ? CRASH : COUNT] },
    ...(name === "built" ? { build: { argv: ["/bin/sh", "-c", "echo 0; echo 1; echo exit 0"] } } : {}),
    readiness: { kind: "log", pattern: /^\d+$/ },
    policy: {
      backoff: { firstMs: 5, factor: 1, maxMs: 5 },
      graceMs: 2_000,
      overlap: name === "swapped",
    },
    retention: { count: 100_000, bytes: 2 ** 40 },
    keeper: { segmentBytes: 65_536, retainBytes: 2 ** 21 },
  };
}

async function open(): Promise<Supervisor> {
  for (;;) {
    try {
      return Supervisor.open(KILLED_SERVICES.map(spec), folder);
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

async function main(): Promise<void> {
  const supervisor = await open();
  const ended = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGTERM", () => ended.resolve());
  supervisor.listen((notice) => {
    if (notice.kind !== "event") return;
    Deno.writeTextFileSync(`${folder}/events`, `${notice.service} ${notice.of}: ${notice.text}\n`, {
      append: true,
    });
  });
  await supervisor.start(AbortSignal.timeout(20_000));
  console.log("up");
  if (mode === "stop") return await supervisor.stop();
  const restless = setInterval(() => {
    for (const name of ["restarted", "swapped", "built"]) {
      if (Math.random() < 0.5) supervisor.services.get(name)!.request("restart");
    }
  }, steady === "1" ? 2 ** 30 : 30);
  // As an upgrade does it: the same process becomes a newer program.
  let upgraded = false;
  Deno.addSignalListener("SIGHUP", () => {
    upgraded = true;
    ended.resolve();
  });
  hearSignals();
  await ended.promise;
  clearInterval(restless);
  await supervisor.release();
  if (upgraded) {
    becomeProgram([
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-check",
      "--allow-all",
      import.meta.filename!,
      ...Deno.args,
    ]);
  }
}

if (import.meta.main) await main();
