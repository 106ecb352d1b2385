/** Services that misbehave, under the supervisor: each is known to the end, and leaves nothing behind. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { kernelPathExists } from "../../ffi/files/mod.ts";
import { processStart } from "../../ffi/ring/mod.ts";
import { inspectInstance } from "../../lib/keeper/mod.ts";
import {
  type Notice,
  type Outcome,
  type Service,
  type ServiceSpec,
  Supervisor,
} from "../../lib/supervisor/mod.ts";
import { until } from "../keeper/_log.ts";
import { CAN_MOUNT, fill, smallDisk } from "../recording/small_disk.ts";
import { busyRatio, WatchedFolder } from "./_leaks.ts";

const never = new AbortController().signal;
const SOON = { backoff: { firstMs: 1, factor: 1, maxMs: 1 } };
const ONCE = { restart: "never" } as const;
/** Where cgroups can be made: the second version's own tree, or the one beside the first's. */
const CGROUP = Deno.uid() !== 0 ? undefined : ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((folder) => {
  return kernelPathExists(`${folder}/cgroup.controllers`);
});

function shell(name: string, script: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return { name, command: { argv: ["/bin/sh", "-c", script] }, ...more };
}

/** A supervisor of one service, and all that it told. */
class Watched implements AsyncDisposable {
  readonly supervisor: Supervisor;
  readonly service: Service;
  readonly lines: string[] = [];
  readonly events: string[] = [];
  readonly states: string[] = [];

  constructor(spec: ServiceSpec, folder: string) {
    this.supervisor = Supervisor.open([spec], folder);
    this.service = this.supervisor.services.get(spec.name)!;
    this.supervisor.listen((notice) => this.#take(notice));
  }

  static async start(spec: ServiceSpec, folder: string): Promise<Watched> {
    const watched = new Watched(spec, folder);
    await watched.supervisor.start(never);
    return watched;
  }

  get folder(): string {
    return this.service.current!.place.folder;
  }

  status() {
    const status = this.service.current!.status();
    ok(status.kind === "running", Deno.inspect(status));
    return status;
  }

  until(...kinds: Service["state"]["kind"][]): Promise<void> {
    return this.supervisor.until(this.service, (each) => each.is(...kinds));
  }

  async line(pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    await until(String(pattern), () => {
      found = this.lines.map((line) => pattern.exec(line)).find((each) => each !== null) ?? null;
      return found !== null;
    });
    return found!;
  }

  #take(notice: Notice): void {
    if (notice.kind === "line") this.lines.push(notice.line.text);
    else if (notice.kind === "event") this.events.push(notice.text);
    else if (notice.kind === "state") this.states.push(notice.state.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor[Symbol.asyncDispose]();
  }
}

const alive = (pid: number) => processStart(pid) !== 0n;

Deno.test("what ignores SIGTERM and has forked away twice is ended with its service, after its grace period", async () => {
  await using folder = new WatchedFolder();
  const script = `trap "" TERM
setsid setsid sh -c 'trap "" TERM; echo far $$; while :; do sleep 1; done' &
while :; do sleep 1; done`;
  let far: number;
  {
    await using watched = await Watched.start(shell("s", script, { policy: { graceMs: 50 } }), folder.path);
    far = Number((await watched.line(/^far (\d+)$/))[1]);
    ok(alive(far));
  }
  strictEqual(alive(far), false);
});

Deno.test("a daemon that left its parent is a part of its service, and ends when that has ended", async () => {
  await using folder = new WatchedFolder();
  const script = `setsid setsid sh -c 'echo far $$; exec sleep 1000' & sleep 0.1; exit 4`;
  const spec = shell("s", script, { policy: ONCE, keeper: { leftoverMs: 20 } });
  await using watched = await Watched.start(spec, folder.path);
  const far = Number((await watched.line(/^far (\d+)$/))[1]);
  await watched.until("finished");
  strictEqual(alive(far), false, "the service has ended when all of it has");
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "exited", code: 4 } });
});

Deno.test("a service that closes its output runs on, and its end is known", async () => {
  await using folder = new WatchedFolder();
  const script =
    `echo closing; exec >&- 2>&-; while ! test -e ${folder.path}/go; do sleep 0.01; done; exit 7`;
  await using watched = await Watched.start(shell("s", script, { policy: ONCE }), folder.path);
  await watched.line(/closing/);
  const { keeperPid, pid } = watched.status();
  await until("closed output", () => {
    return ![...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) => name === "1" || name === "2");
  });
  ok(await busyRatio(keeperPid) < 0.2, "a keeper that has nothing to read rests");
  ok(watched.service.is("running"));
  Deno.writeTextFileSync(`${folder.path}/go`, "");
  await watched.until("finished");
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "exited", code: 7 } });
});

const SEGMENT = 2 ** 18;
const RETAIN = 2 ** 20;
/** 1 GB without a newline: dd's own words go nowhere. */
const NO_NEWLINE = `head -c 1000000000 /dev/zero | tr '\\0' x`;

Deno.test("1 GB without a newline: dropping keeps memory and disk bounded, and what is lost is counted", async () => {
  await using folder = new WatchedFolder();
  const spec = shell("s", `${NO_NEWLINE}; echo; echo end; exit 3`, {
    policy: ONCE,
    keeper: { segmentBytes: SEGMENT, retainBytes: RETAIN },
  });
  await using watched = new Watched(spec, folder.path);
  let told = 0;
  let largest = 0;
  watched.supervisor.listen((notice) => {
    if (notice.kind !== "line") return;
    watched.lines.length = 0;
    told += notice.line.text.length;
    largest = Math.max(largest, notice.line.text.length);
  });
  await watched.supervisor.start(never);
  const { keeperPid } = watched.status();
  const place = watched.folder;
  let [disk, memory] = [0, 0];
  const measure = setInterval(() => {
    disk = Math.max(disk, bytesIn(place));
    memory = Math.max(memory, anonymousBytes(keeperPid));
  }, 20);
  await watched.until("finished");
  clearInterval(measure);
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "exited", code: 3 } });
  ok(largest <= 65_536, `a piece of ${largest}`);
  ok(disk <= RETAIN + SEGMENT + 16_384, `${disk} bytes on the disk`);
  ok(memory <= 2 ** 20, `${memory} bytes of the keeper's own`);
  // Told or counted: between two words of loss nothing is missing, a piece that was begun excepted.
  const lost = watched.events.reduce((sum, text) => sum + Number(/^(\d+) bytes/.exec(text)?.[1] ?? 0), 0);
  ok(told + lost >= 1e9 * 0.99, `${told} told and ${lost} lost of 1e9`);
  ok(told <= 1e9 + 16, `${told}`);
});

Deno.test("1 GB without a newline: blocking loses nothing, the service waits for room and can be stopped", async () => {
  await using folder = new WatchedFolder();
  const spec = shell("s", NO_NEWLINE, {
    policy: { graceMs: 1_000 },
    keeper: { segmentBytes: SEGMENT, retainBytes: RETAIN, overflow: "block" },
  });
  await using watched = await Watched.start(spec, folder.path);
  const { keeperPid } = watched.status();
  const segments = () => [...Deno.readDirSync(watched.folder)].filter(({ name }) => name.endsWith(".seg"));
  await until("a full log", () => segments().length === 3);
  const told = () => watched.lines.reduce((sum, line) => sum + line.length, 0);
  let full = -1;
  await until("a stall", () => full === (full = told()));
  await until("more looks", looks(50));
  full = told();
  ok(await busyRatio(keeperPid) < 0.2, "nobody spins");
  strictEqual(told(), full, "it stands still");
  ok(full > 2 * SEGMENT && full <= RETAIN, `${full}`);
  // Whoever makes room has it go on.
  const [oldest] = segments().map(({ name }) => name).sort();
  Deno.removeSync(`${watched.folder}/${oldest}`);
  await until("more output", () => told() > full);
  deepStrictEqual(watched.events, [], "nothing is lost");
});

Deno.test("bytes that are no text are told as U+FFFD, and the lines around them as they are", async () => {
  await using folder = new WatchedFolder();
  const script = String.raw`printf 'good\n\377\376bad\300\200\nhalf \342\202\ngood \303\244\n'; sleep 1000`;
  await using watched = await Watched.start(shell("s", script), folder.path);
  await watched.line(/good ä/);
  deepStrictEqual(watched.lines, [
    "good",
    "\ufffd\ufffdbad\ufffd\ufffd",
    "half \ufffd",
    "good ä",
  ]);
});

Deno.test("a service that ends before it is ready is tried again later and later, until it is left alone", async () => {
  await using folder = new WatchedFolder();
  const spec = shell("s", "echo nearly; exit 9", {
    readiness: { kind: "log", pattern: /^ready$/ },
    policy: { backoff: { firstMs: 2, factor: 2, maxMs: 64 }, maxFailures: 4 },
  });
  await using watched = await Watched.start(spec, folder.path);
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "exited", code: 9 } });
  strictEqual(watched.service.restarts, 4);
  strictEqual(watched.states.filter((kind) => kind === "backoff").length, 4);
  ok(!watched.states.includes("running"));
});

Deno.test("a keeper that is killed takes all along that descends from its child, and its exit is unknown", async () => {
  await using folder = new WatchedFolder();
  // One in the session, one that left it, one that left it and forgot where it comes from.
  const script = `sh -c 'echo near $$; while :; do sleep 1; done' &
setsid setsid sh -c 'echo far $$; while :; do sleep 1; done' &
env -i sh -c 'echo bare $$; while :; do sleep 1; done' &
while :; do sleep 1; done`;
  await using watched = await Watched.start(shell("s", script, { policy: ONCE }), folder.path);
  const pids = [];
  for (const name of ["near", "far", "bare"]) {
    pids.push(Number((await watched.line(new RegExp(`^${name} (\\d+)$`)))[1]));
  }
  const { keeperPid, pid } = watched.status();
  const place = watched.folder;
  Deno.kill(keeperPid, "SIGKILL");
  await watched.until("finished");
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "lost" } satisfies Outcome });
  deepStrictEqual([pid, ...pids].filter(alive), []);
  deepStrictEqual(inspectInstance(place), { kind: "lost" });
  match(watched.events.at(-1)!, /its keeper was killed; of what it kept \d+ processes were left/);
});

Deno.test("what a keeper that was killed without a manager has left is ended by the next manager", async () => {
  await using folder = new WatchedFolder();
  const script = `setsid setsid sh -c 'echo far $$; while :; do sleep 1; done' & while :; do sleep 1; done`;
  for (const wanted of [true, false]) {
    const spec = shell(`s-${wanted}`, script, { policy: ONCE });
    const first = await Watched.start(spec, folder.path);
    const far = Number((await first.line(/^far (\d+)$/))[1]);
    const { keeperPid } = first.status();
    await first.supervisor.release();
    Deno.kill(keeperPid, "SIGKILL");
    await until("the keeper's end", () => !alive(keeperPid));
    ok(alive(far));
    // Not wanted any more: as if it had been stopped while nobody could be asked.
    if (!wanted) first.service.ledger.want({ up: false, failures: 0 });
    await using second = await Watched.start(spec, folder.path);
    if (wanted) deepStrictEqual(second.service.state, { kind: "finished", outcome: { kind: "lost" } });
    await until("the end of what was left", () => !alive(far));
  }
});

Deno.test("a folder that is removed under a service neither ends nor blocks it, and a stop still does", async () => {
  await using folder = new WatchedFolder();
  const spec = shell("s", `i=0; while :; do i=$((i+1)); echo $i > ${folder.path}/alive; seq 1000; done`, {
    keeper: { segmentBytes: 4_096, retainBytes: 65_536 },
    policy: { graceMs: 1_000 },
  });
  await using watched = await Watched.start(spec, folder.path);
  const count = counter(`${folder.path}/alive`);
  await until("its first round", () => count() > 1);
  const { keeperPid, pid } = watched.status();
  // At once, however busy its keeper is there.
  Deno.renameSync(watched.folder, `${folder.path}/gone`);
  Deno.removeSync(`${folder.path}/gone`, { recursive: true });
  const seen = count();
  await until("more rounds", () => count() > seen + 20);
  watched.service.request("stop");
  await watched.until("idle");
  await watched.service.settled();
  deepStrictEqual([alive(keeperPid), alive(pid)], [false, false]);
  await watched.supervisor.stop();
  // Its name was in the folder.
  const owner = folder.path.slice(folder.path.lastIndexOf("/") + 1);
  strictEqual(CGROUP !== undefined && kernelPathExists(`${CGROUP}/hostkit/${owner}`), false);
});

Deno.test("a cgroup that cannot be joined keeps a service from starting, and says so each time", async () => {
  await using folder = new WatchedFolder();
  const cgroup = `${folder.path}/no-cgroup`;
  // A folder in the file's place cannot be written, not even by root.
  Deno.mkdirSync(`${cgroup}/cgroup.procs`, { recursive: true });
  const spec = shell("s", "echo started; exec sleep 1000", {
    keeper: { cgroups: [cgroup] },
    policy: { ...SOON, maxFailures: 2 },
  });
  await using watched = await Watched.start(spec, folder.path);
  await watched.until("finished");
  deepStrictEqual(watched.service.state, { kind: "finished", outcome: { kind: "exited", code: 126 } });
  deepStrictEqual(watched.lines, [], "it was not started outside of its cgroup");
  strictEqual(watched.events.length, 3);
  for (const text of watched.events) match(text, /cannot join its cgroup: Is a directory/);
});

Deno.test({
  name: "a cgroup is empty and can be removed when its service was stopped (needs root and cgroup 2)",
  ignore: CGROUP === undefined,
  fn: async () => {
    await using folder = new WatchedFolder();
    const cgroup = `${CGROUP}/hostile-${Deno.pid}`;
    Deno.mkdirSync(cgroup);
    const procs = () => Deno.readTextFileSync(`${cgroup}/cgroup.procs`).trim().split("\n").filter(Boolean);
    {
      const script = `setsid setsid sleep 1000 & exec sleep 1000`;
      await using watched = await Watched.start(
        shell("s", script, { keeper: { cgroups: [cgroup], leftoverMs: 20 } }),
        folder.path,
      );
      const { pid } = watched.status();
      await until("both in the cgroup", () => procs().length >= 2 && procs().includes(String(pid)));
    }
    await until("an empty cgroup", () => procs().length === 0);
    Deno.removeSync(cgroup);
  },
});

Deno.test({
  name: "a full disk: services go on, what is lost is told, and logs go on when there is room (needs root)",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using folder = new WatchedFolder();
    using disk = smallDisk(2_048);
    const alivePath = `${folder.path}/alive`;
    const script =
      `i=0; while :; do i=$((i+1)); echo round $i; seq 2000; echo $i > ${alivePath}; sleep 0.01; done`;
    const count = counter(alivePath);
    const keeper = { segmentBytes: 65_536, retainBytes: 2 ** 20 };
    const specs = [
      shell("s", script, { keeper }),
      shell("other", "exec sleep 1000", { policy: SOON, keeper }),
    ];
    const supervisor = Supervisor.open(specs, disk.path("state"));
    try {
      const events: string[] = [];
      const rounds: number[] = [];
      supervisor.listen((notice) => {
        if (notice.kind === "event") events.push(`${notice.service}: ${notice.text}`);
        if (notice.kind === "line" && notice.line.text.startsWith("round ")) {
          rounds.push(Number(notice.line.text.slice(6)));
        }
      });
      await supervisor.start(never);
      await until("its first round", () => rounds.length > 0 && count() > 1);
      fill(disk.path("rest"));
      // Old segments go one by one until none is left to go.
      const place = supervisor.services.get("s")!.current!.place.folder;
      await until("a log of one segment", () => {
        if (segmentsIn(place) > 1) return false;
        fill(disk.path("more"));
        return segmentsIn(place) <= 1;
      });
      const seen = count();
      await until("rounds without room", () => count() > seen + 40);

      // What cannot be started says why, and is tried again.
      const other = supervisor.services.get("other")!;
      other.request("restart");
      await until("the reason", () => events.some((text) => /^other: .*No space left on device/.test(text)));
      ok(await busyRatio(Deno.pid) < 0.8, "the manager does not spin");

      for (const name of ["rest", "more"]) Deno.removeSync(disk.path(name));
      await supervisor.until(other, (each) => each.is("running"));
      await until("the word of what was lost", () => {
        return events.some((text) =>
          /^s: \d+ bytes of output are lost: .*No space left on device/.test(text)
        );
      });
      const last = count();
      await until("rounds again", () => rounds.at(-1)! > last);
    } finally {
      await supervisor.stop();
    }
  },
});

/** True at the n-th look: `until` looks every few milliseconds. */
function looks(count: number): () => boolean {
  return () => --count <= 0;
}

/** What a service counts up in a file. */
function counter(path: string): () => number {
  Deno.writeTextFileSync(path, "");
  return () => Number(Deno.readTextFileSync(path));
}

function segmentsIn(folder: string): number {
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".seg")).length;
}

function bytesIn(folder: string): number {
  return [...Deno.readDirSync(folder)].reduce((sum, { name }) => {
    try {
      return sum + Deno.statSync(`${folder}/${name}`).size;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return sum;
      throw error;
    }
  }, 0);
}

function anonymousBytes(pid: number): number {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
    return Number(/^Anonymous:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || /ESRCH|No such process/.test(String(error))) return 0;
    throw error;
  }
}
