/** What the tests of executables share: a folder, a packed file, running programs with an environment of their own. */
import { layOut, type Part } from "../../lib/build/pack_file.ts";
import { programSteps } from "../../lib/build/programs.ts";
import { runSteps, type Step } from "../../lib/build/step.ts";

/** A folder that is removed with all that was unpacked into it. */
export interface Folder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): Folder {
  const path = Deno.makeTempDirSync({ prefix: "hostkit-pack-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end with nothing but `env` in its environment. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const command = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    clearEnv: true,
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** The key of fake packs. */
export const FAKE_KEY = "0123456789abcdef0123456789abcdef";
const SHELL_RUNTIME = `#!/bin/sh
echo "$0"
for word in "$@"; do echo "$word"; done
echo "DENO_DIR=$DENO_DIR"
echo "$HOSTKIT_CALLER_ENV"
`;
/** More than the launcher compares whole. */
const LARGE_BYTES = 6 << 20;

/** Contents whose runtime is a shell script that prints what it was called with. */
export function fakeParts(): Part[] {
  const bytes = (text: string) => new TextEncoder().encode(text);
  return [
    { kind: "tool", name: "first", args: ["run", "--allow-read=/proc"] },
    { kind: "tool", name: "second", args: ["run"] },
    { kind: "file", path: "deno", mode: 0o500, bytes: bytes(SHELL_RUNTIME) },
    { kind: "file", path: "hostkit.js", mode: 0o400, bytes: bytes("bundle") },
    { kind: "file", path: "assets/lib/large.so", mode: 0o500, bytes: largeFile() },
    { kind: "answer", words: ["hostkit"], style: "any", bytes: bytes("all tools\n") },
    { kind: "answer", words: ["first", "go", "--help"], style: "plain", bytes: bytes("plain help\n") },
    { kind: "answer", words: ["first", "go", "--help"], style: "bold", bytes: bytes("bold help\n") },
  ];
}

function largeFile(): Uint8Array {
  const bytes = new Uint8Array(LARGE_BYTES);
  for (let at = 0; at < bytes.length; at++) bytes[at] = at * 31 >> 7;
  return bytes;
}

/** Writes `parts` behind the launcher as an executable. */
export async function writeFake(
  path: string,
  parts: readonly Part[],
  { step = programSteps()[0]!, key = FAKE_KEY }: { step?: Step; key?: string } = {},
): Promise<void> {
  await runSteps([step], () => {});
  const launcher = await Deno.readFile(step.outputs[0]!);
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o755 });
  for (const piece of layOut(launcher, parts, key)) {
    for (let written = 0; written < piece.length;) written += await file.write(piece.subarray(written));
  }
}
