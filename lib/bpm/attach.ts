/**
 * A terminal on this side and a process on the other: what it writes is shown as it comes, what is typed goes to it,
 * and the size of its terminal follows ours. Straight to its keeper, so that no manager has to run.
 * @module
 */
import { KEEPER_RECORDS } from "../../ffi/keeper/mod.ts";
import { type ExitStatus, inspectInstance, KeeperControl } from "../keeper/mod.ts";
import { type Doorbell, type ReadResult, SegmentReader } from "../ring/mod.ts";

/** What was written last is shown again at first, at most so much of it. */
const REPLAY_BYTES = 16_384;
/** Bytes of the time stamp before each record's content. */
const STAMP_BYTES = 8;
const NEWLINE = 0x0a;

/** This side. */
export interface AttachedTerminal {
  readonly doorbell: Doorbell;
  /** Shows bytes as they are. */
  show(bytes: Uint8Array<ArrayBuffer>): void;
  /** What is typed; undefined when nothing can be, or is to be. Its end detaches. */
  readonly typed?: AsyncIterable<Uint8Array<ArrayBuffer>> | undefined;
  /** Its size, now and whenever it changes. */
  readonly sizes?: AsyncIterable<{ readonly rows: number; readonly columns: number }> | undefined;
  readonly signal: AbortSignal;
}

/** Why it is over: this side left, or the process has ended. */
export type AttachEnd =
  | { readonly kind: "detached" }
  | { readonly kind: "ended"; readonly exit: ExitStatus | undefined };

/**
 * Attaches to the instance in a folder until it ends, `typed` ends or the signal fires; any number may be attached.
 * @throws {Deno.errors.NotFound} When it has no log. @throws {RingError} When its log is damaged.
 */
export async function attach(folder: string, terminal: AttachedTerminal): Promise<AttachEnd> {
  const { doorbell, show, typed, sizes, signal } = terminal;
  using reader = SegmentReader.open(folder);
  replay(reader, show);
  const left = new AbortController();
  const over = AbortSignal.any([signal, left.signal]);
  const following = reader.each(doorbell, over, (result) => pass(result, show)).then(
    (): AttachEnd => ({ kind: "ended", exit: exitOf(folder) }),
  );
  const work: Promise<AttachEnd>[] = [following];
  // A keeper that has just ended takes nothing more: that it has is what the log tells.
  const control = typed === undefined && sizes === undefined ? undefined : await openControl(folder);
  using _ = { [Symbol.dispose]: () => control?.[Symbol.dispose]() };
  if (control !== undefined && typed !== undefined) work.push(type(control, typed, over));
  if (control !== undefined && sizes !== undefined) work.push(resize(control, sizes, over));
  try {
    return await Promise.race(work);
  } catch (error) {
    if (signal.aborted) return { kind: "detached" };
    throw error;
  } finally {
    left.abort();
    await following.catch(() => "Whoever waits for it has its end or its error already.");
  }
}

/** Shows the end of what is there, from the beginning of a line. */
function replay(reader: SegmentReader, show: (bytes: Uint8Array<ArrayBuffer>) => void): void {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let pieceBytes = 0;
  const keep = (bytes: Uint8Array<ArrayBuffer>) => {
    pieces.push(bytes.slice());
    pieceBytes += bytes.length;
    while (pieceBytes - pieces[0]!.length >= REPLAY_BYTES) pieceBytes -= pieces.shift()!.length;
  };
  for (
    let result = reader.read();
    result.kind !== "empty" && result.kind !== "ended";
    result = reader.read()
  ) {
    pass(result, keep);
  }
  if (pieceBytes <= REPLAY_BYTES) return pieces.forEach(show);
  const [first, ...others] = pieces;
  const line = first!.indexOf(NEWLINE, pieceBytes - REPLAY_BYTES);
  if (line >= 0) show(first!.subarray(line + 1));
  others.forEach(show);
}

/** Shows the output among the records. */
function pass(result: ReadResult, show: (bytes: Uint8Array<ArrayBuffer>) => void): void {
  if (result.kind !== "records") return;
  const { records } = result;
  while (records.next()) {
    const isOutput = records.kind === KEEPER_RECORDS.stdout || records.kind === KEEPER_RECORDS.stderr;
    if (isOutput) show(records.payload().subarray(STAMP_BYTES));
  }
}

function exitOf(folder: string): ExitStatus | undefined {
  const status = inspectInstance(folder);
  return status.kind === "exited" ? status.exit : undefined;
}

async function openControl(folder: string): Promise<KeeperControl | undefined> {
  try {
    return await KeeperControl.open(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) {
      return undefined;
    }
    throw error;
  }
}

async function type(
  control: KeeperControl,
  typed: AsyncIterable<Uint8Array<ArrayBuffer>>,
  over: AbortSignal,
): Promise<AttachEnd> {
  for await (const bytes of typed) {
    if (over.aborted) break;
    if (!await sent(control.input(bytes))) return await never();
  }
  return { kind: "detached" };
}

async function resize(
  control: KeeperControl,
  sizes: NonNullable<AttachedTerminal["sizes"]>,
  over: AbortSignal,
): Promise<AttachEnd> {
  for await (const { rows, columns } of sizes) {
    if (over.aborted || !await sent(control.window(rows, columns))) break;
  }
  return await never();
}

/** False when the keeper has gone. */
async function sent(sending: Promise<void>): Promise<boolean> {
  try {
    await sending;
    return true;
  } catch (error) {
    const isGone = error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BadResource;
    if (isGone) return false;
    throw error;
  }
}

/** The log tells how it ends. */
function never(): Promise<never> {
  return new Promise(() => {});
}
