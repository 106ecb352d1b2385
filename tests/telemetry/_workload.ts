/** Work of a known size in a process, and a cgroup for it alone. */
import { ok } from "node:assert/strict";
import { readKernelFile, writeKernelFile } from "../../ffi/files/mod.ts";

/** A file of the kernel's. */
export function text(path: string): string {
  return new TextDecoder().decode(readKernelFile(path));
}

/** Runs Python code and returns its output; the code prints "go" when it is ready and waits for a line. */
export class Workload implements AsyncDisposable {
  readonly child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #seen = "";

  constructor(code: string, prefix: readonly string[] = []) {
    const [program, ...args] = [...prefix, "python3", "-c", `import os,sys,socket,time,threading\n${code}`];
    const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped", stderr: "inherit" })
      .spawn();
    this.child = child;
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = child.stdin.getWriter();
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Waits until it has written what is expected. */
  async says(expected: string | RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = new RegExp(expected).exec(this.#seen);
      if (found !== null) return found;
      const { value, done } = await this.#output.read();
      ok(!done, `the workload ended before it said "${expected}", after: ${this.#seen}`);
      this.#seen += value;
    }
  }

  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    while (!(await this.#output.read()).done) { /* to the end, so that it never blocks */ }
    await this.child.status;
  }
}

/** A cgroup of the CPU controller that exists for the test. */
export class TestCgroup implements Disposable {
  readonly name = `/hostkit-test-${crypto.randomUUID().slice(0, 8)}`;
  readonly #path: string;

  constructor() {
    const root = text("/proc/self/mounts").split("\n").map((line) => line.split(" ")).find((
      [, , type, options],
    ) => type === "cgroup2" || (type === "cgroup" && options?.split(",").includes("cpu")));
    this.#path = `${root![1]}${this.name}`;
    Deno.mkdirSync(this.#path);
  }

  add(pid: number): void {
    writeKernelFile(`${this.#path}/cgroup.procs`, String(pid));
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}
