/** Waiting for any number of rings with one native wait. @module */
import { createDoorbell, DOORBELL_RINGS, type Handle, ring } from "../../ffi/ring/mod.ts";
import { SystemError } from "../../ffi/errno.ts";
import { nativeWaits } from "../async/mod.ts";
import type { RingReader } from "./reader.ts";

/** One native wait lasts at most this long; an abort ends it at once. */
const SLICE_NS = 250_000_000n;

/** While a ring is waited for that cannot ring us, it is looked at this often. */
const POLL_NS = 20_000_000n;

/** Someone who waits for a reader. */
interface Waiter {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/** What the doorbell knows of one reader. */
interface Entry {
  readonly bit: number;
  /** False when the ring's table is full (30 processes) or its file is not ours to write: then it is polled. */
  readonly registered: boolean;
  /** Rung, and nobody has asked since. */
  rung: boolean;
  waiter?: Waiter;
}

/**
 * A small file with one futex word and one bit for each ring. Writers set the bit of their ring, so a process waits for
 * up to 4,096 rings in one native call, and only while it has nothing to do. Make one for each process.
 */
export class Doorbell implements AsyncDisposable {
  readonly path: string;
  #handle: Handle | undefined;
  readonly #entries = new Map<RingReader, Entry>();
  readonly #byBit: (Entry | undefined)[] = [];
  readonly #freeBits: number[] = [];
  readonly #words = new Uint32Array(DOORBELL_RINGS / 32);
  #waiting = 0;
  #polled = 0;
  #pump: Promise<void> | undefined;

  /**
   * Makes the file; a path has at most 231 bytes. What a dead process left there is replaced.
   * @throws {RingError} When a living process has it, or something else stands there.
   */
  static create(path: string): Doorbell {
    return new Doorbell(path);
  }

  private constructor(path: string) {
    this.path = path;
    this.#handle = createDoorbell(path);
  }

  /** Readers that were added. */
  get size(): number {
    return this.#entries.size;
  }

  /** Readers that are polled, since their ring cannot ring this doorbell. */
  get polledCount(): number {
    return this.#polled;
  }

  /**
   * Has the reader's ring ring from now on; dispose what is returned before the reader. The first `ready` does not
   * wait, since records may have come before.
   * @throws {RangeError} Beyond 4,096 readers. @throws {TypeError} When the reader was added already.
   */
  add(reader: RingReader): Disposable {
    if (this.#entries.has(reader)) {
      throw new TypeError(`Cannot add ring "${reader.path}" to doorbell: it was added already`);
    }
    if (this.#entries.size >= DOORBELL_RINGS) {
      throw new RangeError(`Cannot add ring "${reader.path}" to doorbell: it has ${DOORBELL_RINGS} already`);
    }
    const bit = this.#freeBits.pop() ?? this.#entries.size;
    const registered = this.#register(reader, bit);
    const entry: Entry = { bit, registered, rung: true };
    this.#entries.set(reader, entry);
    this.#byBit[bit] = entry;
    if (!registered) this.#polled++;
    return { [Symbol.dispose]: () => this.#remove(reader, entry) };
  }

  /**
   * Waits until the reader's ring has rung since the last time: true; false when `limitMs` is over first.
   * One wait for a reader at a time.
   * @throws The signal's reason. @throws {RangeError} When the process has no native wait left.
   */
  async ready(reader: RingReader, options: { signal: AbortSignal; limitMs?: number }): Promise<boolean> {
    const { signal, limitMs } = options;
    const entry = this.#entries.get(reader);
    if (entry === undefined || entry.waiter !== undefined) {
      const found = entry === undefined ? "it was not added" : "somebody waits for it already";
      throw new TypeError(`Cannot wait for ring "${reader.path}": ${found}`);
    }
    signal.throwIfAborted();
    this.#collect();
    if (!entry.rung) {
      await this.#wait(entry, signal, limitMs);
      signal.throwIfAborted();
    }
    const rung = entry.rung;
    entry.rung = false;
    return rung;
  }

  /** Ends the native wait and removes the file. Readers that were added are no longer rung. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#handle === undefined) return;
    for (const [reader, entry] of [...this.#entries]) this.#remove(reader, entry);
    await this.#pump;
    ring().doorbell_free(this.#handle);
    this.#handle = undefined;
  }

  #register(reader: RingReader, bit: number): boolean {
    const result = ring().ring_register(reader.handle, this.#open(), bit);
    if (result >= 0) return true;
    const error = new SystemError(`register with ring "${reader.path}"`, -result);
    if (["ENOSPC", "EAGAIN", "EACCES", "EROFS"].includes(error.code)) return false;
    throw error;
  }

  #remove(reader: RingReader, entry: Entry): void {
    if (this.#entries.get(reader) !== entry) return;
    this.#entries.delete(reader);
    this.#byBit[entry.bit] = undefined;
    this.#freeBits.push(entry.bit);
    if (entry.registered) ring().ring_unregister(reader.handle, this.#open());
    else this.#polled--;
    entry.waiter?.wake();
  }

  async #wait(entry: Entry, signal: AbortSignal, limitMs: number | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = limitMs === undefined ? undefined : setTimeout(resolve, limitMs);
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    entry.waiter = { wake: resolve, fail: reject };
    this.#waiting++;
    this.#pump ??= this.#run();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      delete entry.waiter;
      // The last one to go ends the native wait, so that nothing of ours holds a thread for nothing.
      if (--this.#waiting === 0) ring().doorbell_poke(this.#open());
    }
  }

  /** The one native wait of the process; it lives as long as somebody waits. */
  async #run(): Promise<void> {
    try {
      while (this.#waiting > 0) {
        const slice = this.#polled > 0 ? POLL_NS : SLICE_NS;
        await nativeWaits.run("doorbell", () => ring().doorbell_wait(this.#open(), slice));
        this.#collect();
        // Those who were woken run first: most of them have something to read and will wait again.
        await Promise.resolve();
      }
    } catch (error) {
      for (const entry of this.#entries.values()) entry.waiter?.fail(error);
    } finally {
      this.#pump = undefined;
    }
  }

  /** Takes the bits and wakes whoever waits for one of them. */
  #collect(): void {
    if (ring().doorbell_take(this.#open(), this.#words) > 0) {
      for (let index = 0; index < this.#words.length; index++) {
        for (let word = this.#words[index]!; word !== 0; word &= word - 1) {
          wake(this.#byBit[index * 32 + 31 - Math.clz32(word & -word)]);
        }
      }
    }
    if (this.#polled === 0) return;
    for (const [reader, entry] of this.#entries) {
      if (!entry.registered && reader.pending) wake(entry);
    }
  }

  #open(): Handle {
    if (this.#handle === undefined) throw new TypeError(`Cannot use doorbell "${this.path}": it is closed`);
    return this.#handle;
  }
}

function wake(entry: Entry | undefined): void {
  // A bit without an entry was set by a writer that had not yet seen its reader go.
  if (entry === undefined) return;
  entry.rung = true;
  entry.waiter?.wake();
}
