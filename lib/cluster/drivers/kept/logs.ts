/** What an instance has said, over all of its runs, from any position on. @module */
import { KEEPER_RECORDS } from "../../../../ffi/keeper/mod.ts";
import { STAMP_BYTES } from "../../../keeper/mod.ts";
import { type Doorbell, type ReadResult, SegmentReader, segmentStarts } from "../../../ring/mod.ts";
import type { Ledger, Place } from "../../../supervisor/mod.ts";
import { DriverError, type LogOptions, type LogPiece } from "../driver.ts";

const STREAMS: Readonly<Record<number, LogPiece["stream"]>> = {
  [KEEPER_RECORDS.stdout]: "stdout",
  [KEEPER_RECORDS.stderr]: "stderr",
  [KEEPER_RECORDS.event]: "event",
};
const CURSOR = /^(\d{1,15})\.(\d{1,19})$/;
const NS_PER_MS = 1e6;

/** Where reading goes on: in which run, at which byte of its log. */
interface Position {
  readonly run: number;
  readonly at: "oldest" | "end" | bigint;
}

/** Reads on from a position; of what runs until its end where it is followed. @throws The signal's reason. */
export async function* readLogs(
  ledger: Ledger,
  { from, follow = false, doorbell, signal }: LogOptions & {
    readonly doorbell: Doorbell;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<LogPiece, void, void> {
  let next = positionOf(ledger, from);
  for (;;) {
    const place = ledger.places("run").find(({ number }) => number >= next.run);
    if (place === undefined) return;
    using reader = openAt(place, place.number === next.run ? next.at : "oldest");
    next = { run: place.number + 1, at: "oldest" };
    if (reader === undefined) continue;
    for await (const result of follow ? reader.follow(doorbell, signal) : presentIn(reader)) {
      yield* piecesOf(result, place.number, reader);
    }
  }
}

/** What the last run wrote to its standard error, as far as it is in the newest part of its log. */
export function lastErrors(ledger: Ledger): string {
  const place = ledger.places("run").at(-1);
  const newest = place === undefined ? undefined : segmentStarts(place.folder).at(-1);
  if (place === undefined || newest === undefined) return "";
  using reader = openAt(place, newest);
  if (reader === undefined) return "";
  const errors = [...presentIn(reader)].flatMap((result) => piecesOf(result, place.number, reader));
  const text = new TextDecoder();
  return errors.filter(({ stream }) => stream === "stderr").map(({ bytes }) => text.decode(bytes)).join("");
}

function* presentIn(reader: SegmentReader): Generator<ReadResult, void, void> {
  for (;;) {
    const result = reader.read();
    if (result.kind === "empty" || result.kind === "ended") return;
    yield result;
  }
}

/** Whole pieces: the memory of a read is used again. */
function piecesOf(result: ReadResult, run: number, reader: SegmentReader): LogPiece[] {
  const behind = reader.position;
  if (result.kind === "lapped") {
    const text = `${result.lostBytes} bytes of output were overwritten before they were read`;
    const bytes = new TextEncoder().encode(text);
    return [{ cursor: `${run}.${behind}`, timeMs: Date.now(), stream: "event", bytes }];
  }
  if (result.kind !== "records") return [];
  const { records } = result;
  const pieces: LogPiece[] = [];
  while (records.next()) {
    const stream = STREAMS[records.kind];
    if (stream === undefined) continue;
    const payload = records.payload();
    const [low, high] = new Uint32Array(payload.buffer, payload.byteOffset, 2);
    pieces.push({
      cursor: `${run}.${behind - BigInt(records.remainingBytes)}`,
      timeMs: (high! * 2 ** 32 + low!) / NS_PER_MS,
      stream,
      bytes: payload.slice(STAMP_BYTES),
    });
  }
  return pieces;
}

function positionOf(ledger: Ledger, from: LogOptions["from"]): Position {
  if (from === undefined) return { run: 0, at: "oldest" };
  if (from === "end") return { run: ledger.places("run").at(-1)?.number ?? 0, at: "end" };
  const [, run, at] = CURSOR.exec(from) ?? [];
  if (at === undefined) throw noCursor(from);
  return { run: Number(run), at: BigInt(at) };
}

/** Undefined where nothing was ever said, since its keeper never came. */
function openAt({ folder, number }: Place, from: Position["at"]): SegmentReader | undefined {
  try {
    return SegmentReader.open(folder, { from: from === 0n ? "oldest" : from });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof RangeError) throw noCursor(`${number}.${from}`);
    throw error;
  }
}

function noCursor(text: string): DriverError {
  return new DriverError("invalid", `Cannot read a log from "${text}": no piece of it ends there`);
}
