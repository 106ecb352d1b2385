/** Log lines: levels, formats, secrets, repetition, and what must not get into them. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Log, type LogOptions, processLog, REPEAT_MS, Secret } from "../../lib/log/mod.ts";

function logged(options: Partial<LogOptions>, use: (log: Log, pass: (ms: number) => void) => void): string[] {
  const lines: string[] = [];
  let now = 0;
  const log = new Log({
    level: "trace",
    format: "text",
    colour: false,
    now: () => now,
    write: (line) => lines.push(line),
    ...options,
  });
  use(log, (ms) => void (now += ms));
  return lines;
}

Deno.test("only lines of the level and above are written, each ended by a newline", () => {
  const lines = logged({ level: "info" }, (log) => {
    log.error("e");
    log.warn("w");
    log.info("i");
    log.debug("d");
    log.trace("t");
  });
  deepStrictEqual(lines, [
    "1970-01-01T00:00:00.000Z ERROR e\n",
    "1970-01-01T00:00:00.000Z WARN  w\n",
    "1970-01-01T00:00:00.000Z INFO  i\n",
  ]);
});

Deno.test("formats: text for people, JSON for machines, levels for the journal", () => {
  const use = (log: Log) =>
    log.with({ unit: "agent" }).warn("disk is full", {
      path: "/var x",
      count: 2n,
      error: new Error("ENOSPC"),
    });
  deepStrictEqual(logged({}, use), [
    '1970-01-01T00:00:00.000Z WARN  disk is full unit=agent path="/var x" count=2 error=ENOSPC\n',
  ]);
  deepStrictEqual(logged({ format: "journal" }, use), [
    '<4>disk is full unit=agent path="/var x" count=2 error=ENOSPC\n',
  ]);
  deepStrictEqual(JSON.parse(logged({ format: "json" }, use)[0]!), {
    time: "1970-01-01T00:00:00.000Z",
    level: "warn",
    message: "disk is full",
    unit: "agent",
    path: "/var x",
    count: "2",
    error: "ENOSPC",
  });
  // deno-lint-ignore no-control-regex
  match(logged({ colour: true }, use)[0]!, /\x1b\[33mWARN \x1b\[0m/);
});

Deno.test("a secret never appears, in no format", () => {
  const secret = new Secret("hunter2");
  strictEqual(secret.reveal(), "hunter2");
  for (const format of ["text", "json", "journal"] as const) {
    const [line] = logged({ format }, (log) => log.info(`token ${secret}`, { secret, nested: { secret } }));
    ok(!line!.includes("hunter2") && line!.includes("[redacted]"), line);
  }
});

Deno.test("a line that repeats within a second is held back and counted", () => {
  const lines = logged({}, (log, pass) => {
    for (let at = 0; at < 5; at++) log.warn("again", { from: 1 });
    log.warn("again", { from: 2 });
    pass(REPEAT_MS);
    log.warn("again", { from: 1 });
  });
  deepStrictEqual(lines.map((line) => line.slice(31).trim()), [
    "again from=1",
    "again from=2",
    "again from=1 repeated=4",
  ]);
});

Deno.test("what is logged cannot write lines of its own or move a terminal's cursor", () => {
  const [line] = logged({}, (log) => log.info("one\ntwo\x1b[2J"));
  strictEqual(line, "1970-01-01T00:00:00.000Z INFO  one | two[2J\n");
  const [field] = logged({}, (log) => log.info("one", { name: "a\x1b[2J\x9b2J" }));
  strictEqual(field, "1970-01-01T00:00:00.000Z INFO  one name=a[2J2J\n");
});

Deno.test("many different lines do not make the memory of repetition grow without end", () => {
  const lines = logged({}, (log) => {
    for (let at = 0; at < 300; at++) log.info(`line ${at}`);
    log.info("line 0");
    log.info("line 299");
  });
  strictEqual(lines.length, 301, "the oldest was forgotten and is told again, the newest is held back");
});

Deno.test("what a forgotten line has held back is told when it is forgotten", () => {
  const lines = logged({}, (log) => {
    for (let at = 0; at < 3; at++) log.info("again");
    for (let at = 0; at < 256; at++) log.info(`line ${at}`);
  });
  strictEqual(lines.at(-1)!.slice(31).trim(), "again repeated=2");
  strictEqual(lines.length, 258);
});

Deno.test("a level that nobody knows is told, and info taken", () => {
  const written: string[] = [];
  const write = Deno.stderr.writeSync;
  Deno.stderr.writeSync = (bytes) => (written.push(new TextDecoder().decode(bytes)), bytes.length);
  try {
    const log = processLog({ level: "loud" });
    log.debug("quiet");
    log.info("told");
  } finally {
    Deno.stderr.writeSync = write;
  }
  match(written[0]!, /log level "loud" is unknown, info is taken; there are error, warn/);
  match(written[1]!, /told/);
  strictEqual(written.length, 2);
});

Deno.test("the log of a process writes to standard error at the level asked for", () => {
  const written: Uint8Array[] = [];
  const write = Deno.stderr.writeSync;
  Deno.stderr.writeSync = (bytes) => (written.push(bytes.slice()), bytes.length);
  try {
    const log = processLog({ level: "error", json: true });
    log.info("quiet");
    log.error("loud");
  } finally {
    Deno.stderr.writeSync = write;
  }
  strictEqual(written.length, 1);
  strictEqual(JSON.parse(new TextDecoder().decode(written[0])).message, "loud");
});

Deno.test({
  name: "the log of a process goes behind what its file has, without colours",
  // It is open as long as the process runs.
  sanitizeResources: false,
  fn: () => {
    const file = Deno.makeTempFileSync();
    Deno.writeTextFileSync(file, "before\n");
    processLog({ level: "info", file }).info("told", { of: 3 });
    // deno-lint-ignore no-control-regex
    match(Deno.readTextFileSync(file), /^before\n[^\x1b]*info[^\x1b]*told[^\x1b]*of=3\n$/i);
    Deno.removeSync(file);
  },
});
