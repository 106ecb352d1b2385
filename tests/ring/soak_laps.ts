/**
 * A writer at full speed laps readers in TypeScript and C: none of the records that they get may be torn, and none may
 * be missing without a lap that tells. Run alone: `deno run -A tests/ring/soak_laps.ts [RECORDS]`.
 * @module
 */
import { RingReader } from "../../lib/ring/mod.ts";
import { fastPeer, Peer, ringFolder, Tally } from "./peer.ts";

/** Small enough that the readers are overtaken all the time. */
const DATA_BYTES = 32 * 1024;

/** What one reader saw. `lostBytes + readBytes` is everything that was written. */
export interface LapReport {
  readonly seen: number;
  readonly torn: number;
  readonly gaps: number;
  readonly silent: number;
  readonly laps: number;
  readonly lostBytes: number;
}

/** Has `records` records written at full speed; returns what the reader of each language saw. */
export async function soakLaps(records: number): Promise<{ typescript: LapReport; c: LapReport }> {
  using folder = ringFolder();
  const path = `${folder.path}/hostile.ring`;
  const program = await fastPeer();
  await using writer = Peer.start(program, ["write", path, `${DATA_BYTES}`, `${records}`]);
  await writer.line();
  await using reader = Peer.start(program, ["read", path, `${records}`]);
  await reader.line();
  using own = RingReader.open(path);
  await writer.go();
  const typescript = readAll(own);
  const c: LapReport = JSON.parse(await reader.line());
  const codes = [await writer.end(), await reader.end()];
  if (codes.some((code) => code !== 0)) {
    throw new Error(`Cannot soak: peers ended with ${codes.join(" and ")}`);
  }
  return { typescript, c };
}

/** Reads without a pause until the writer has closed the ring. */
function readAll(reader: RingReader): LapReport {
  const tally = new Tally();
  for (;;) {
    const result = reader.read();
    if (result.kind === "records") tally.take(result.records);
    else if (result.kind === "lapped") tally.lap();
    else if (result.kind === "ended") break;
  }
  const { seen, torn, gaps, silent } = tally;
  const { laps, lostBytes } = reader.status();
  return { seen, torn, gaps, silent, laps, lostBytes: Number(lostBytes) };
}

if (import.meta.main) {
  const report = await soakLaps(Number(Deno.args[0] ?? 1e8));
  console.log(JSON.stringify(report));
  const bad = [report.typescript, report.c].some(({ torn, silent }) => torn + silent > 0);
  Deno.exit(bad ? 1 : 0);
}
