/** The cluster's rows of `deno task bench`; alone: `deno run -A tests/bench/cluster_bench.ts`. @module */
import type { BenchRow } from "../../cmd/dev/bench_row.ts";
import {
  type Driver,
  openMicrovmDriver,
  openProcessDriver,
  tinyGuest,
} from "../../lib/cluster/drivers/mod.ts";
import type { Instance } from "../../lib/cluster/mod.ts";
import { HAS_MICROVM, ownerOf, ticking, tickingGuest } from "../cluster/_drivers.ts";
import { heard } from "../cluster/driver_suite.ts";

const RUNS = 20;
const AT_ONCE = 20;

/** Measures everything; takes about ten seconds. */
export async function clusterRows(): Promise<BenchRow[]> {
  const folder = await Deno.makeTempDir({ prefix: "bench-" });
  try {
    const options = (part: string) => ({ folder: `${folder}/${part}`, owner: ownerOf(`${folder}/${part}`) });
    await using processes = await openProcessDriver(options("process"));
    const rows = await driverRows("process", processes, ticking);
    if (!HAS_MICROVM) return rows;
    const image = () => Promise.resolve(tinyGuest());
    await using microvms = await openMicrovmDriver({ ...options("microvm"), image });
    // What a machine can do is tried once.
    await microvms.probe();
    return [...rows, ...await driverRows("tiny microVM under TCG", microvms, tickingGuest)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** From the wish to its first words, one by one and all at once; and to its end with all that it had. */
async function driverRows(
  name: string,
  driver: Driver,
  instance: (id: string, epoch: number) => Instance,
): Promise<BenchRow[]> {
  const took = { running: [] as number[], heard: [] as number[], deleted: [] as number[] };
  const begin = async (at: number) => {
    const identity = { id: `i${at}`, epoch: 1 };
    await driver.create(instance(identity.id, 1));
    const began = performance.now();
    await driver.start(identity);
    const running = performance.now() - began;
    await heard(driver, identity, /ready/);
    return { identity, running, heard: performance.now() - began };
  };
  for (let run = 0; run < RUNS; run++) {
    const begun = await begin(run);
    took.running.push(begun.running);
    took.heard.push(begun.heard);
    const began = performance.now();
    await driver.delete(begun.identity);
    took.deleted.push(performance.now() - began);
  }
  const began = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => begin(at)));
  const allMs = performance.now() - began;
  for (const each of driver.list()) await driver.delete(each);
  const row = (what: string, values: readonly number[]): BenchRow => {
    return { name: `cluster: ${name}, ${what}`, value: median(values), unit: "ms" };
  };
  return [
    row("started", took.running),
    row("started, until its first words", took.heard),
    row("deleted while it runs", took.deleted),
    row(`${AT_ONCE} at once, until the first words of all`, [allMs]),
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (import.meta.main) console.table(await clusterRows());
