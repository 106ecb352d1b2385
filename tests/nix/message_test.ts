/** Texts of Nix for people, in the forms of its versions. */
import { deepStrictEqual } from "node:assert/strict";
import { type Meaning, meaningOf } from "../../lib/nix/mod.ts";
import { plainText } from "../../lib/tui/mod.ts";

const D = "/nix/store/2dgjm3r4incpk99lwvgylmjm89lh5ilw-fc-bad.drv";
const P = "/nix/store/2dgjm3r4incpk99lwvgylmjm89lh5ilw-fc-bad";

const FAILED: [text: string, kind: string, more?: Record<string, unknown>][] = [
  [`\x1b[31;1merror:\x1b[0m builder for '\x1b[35;1m${D}\x1b[0m' failed with exit code 3`, "exit", {
    code: 3,
  }],
  [`error: builder for '${D}' failed with exit code 1;\n       last 10 log lines:\n       > no`, "exit", {
    code: 1,
  }],
  [`error: Cannot build '${D}'.\n       Reason: builder failed with exit code 2.`, "exit", { code: 2 }],
  [`error: builder for '${D}' failed due to signal 9 (Killed)`, "signal", { code: 9 }],
  [
    `error: hash mismatch in fixed-output derivation '${D}':\n         specified: sha256-AAA=\n            got:    sha256-BBB=`,
    "hash-mismatch",
    { specified: "sha256-AAA=", got: "sha256-BBB=" },
  ],
  [`error: building of '${D}' timed out after 5 seconds of silence`, "timeout"],
  [`error: building of '${D}!out' from .drv file timed out after 1 seconds`, "timeout"],
  [`error: building of '${D}^out' from .drv file timed out after 1 seconds`, "timeout"],
  [`error: derivation '${D}' may not be deterministic: output '${P}' differs`, "not-deterministic"],
  [`error: 1 dependencies of derivation '${D}' failed to build`, "dependency"],
  [`error: Cannot build '${D}'.\n       Reason: 1 dependency failed.`, "dependency"],
  [`error: builder for '${D}' failed to produce output path for output 'out' at '${P}'`, "output"],
  [
    `error: a 'aarch64-linux' with features {} is required to build '${D}', but I am a 'x86_64-linux'`,
    "platform",
  ],
  [`error: build of '${D}' on 'ssh-ng://m' failed: no`, "other"],
];
for (const [text, kind, more = {}] of FAILED) {
  Deno.test(`meaningOf(): ${kind} in "${text.replaceAll(/\s+/g, " ").slice(0, 60)}"`, () => {
    const meaning = meaningOf(text);
    if (meaning.kind !== "failed") throw new Error(`it is ${meaning.kind}`);
    const { text: _, ...failure } = meaning.failure;
    deepStrictEqual([meaning.path, failure], [D, { kind, ...more }]);
  });
}

const OTHERS: [text: string, meaning: Meaning][] = [
  ["this derivation will be built:", { kind: "willBuild", count: 1 }],
  ["these 12 derivations will be built:", { kind: "willBuild", count: 12 }],
  ["these derivations will be built:", { kind: "willBuild", count: undefined }],
  [`  ${D}`, { kind: "planned", path: D }],
  ["these 24 paths will be fetched (0.11 MiB download, 0.48 MiB unpacked):", {
    kind: "willFetch",
    count: 24,
    downloadBytes: 0.11 * 2 ** 20,
    unpackedBytes: 0.48 * 2 ** 20,
  }],
  ["this path will be fetched:", { kind: "willFetch", count: 1, downloadBytes: 0, unpackedBytes: 0 }],
  [`building '${D}'...`, { kind: "building", path: D, host: "" }],
  [`building '${D}' on 'ssh://m'...`, { kind: "building", path: D, host: "ssh://m" }],
  [`checking outputs of '${D}'...`, { kind: "building", path: D, host: "" }],
  [`copying path '${P}' from 'https://c'...`, { kind: "copying", path: P, from: "https://c", to: "local" }],
  [`copying path '${P}' to 'ssh://m'...`, { kind: "copying", path: P, from: "local", to: "ssh://m" }],
  ["error: interrupted by the user", { kind: "interrupted" }],
  ["error: cannot do it", { kind: "error", text: "cannot do it" }],
  ["\x1b[35;1mwarning:\x1b[0m careful", { kind: "warning", text: "careful" }],
  ["evaluating file '/etc/x.nix'", { kind: "evaluating", file: "/etc/x.nix" }],
  [`instantiated 'a' -> '${D}'`, { kind: "instantiated", path: D }],
  [`building of '${D}!out' from .drv file: waitee 'building of '${D}!out' from .drv file' done; 1 left`, {
    kind: "edge",
    path: D,
    input: D,
  }],
  [`building of '${D}^out' from .drv file: waitee 'substitution of '${P}'' done; 0 left`, { kind: "info" }],
  ["acquiring write lock on the store", { kind: "info" }],
];
for (const [text, meaning] of OTHERS) {
  Deno.test(`meaningOf(): ${JSON.stringify(text.slice(0, 50))} is ${meaning.kind}`, () => {
    deepStrictEqual(meaningOf(text), meaning);
  });
}

Deno.test("the reason of an error is found at the end of megabytes, of whatever they are made", () => {
  // Patterns that may begin anywhere would look at each place to its end: this would take an hour.
  for (const filler of ["1", "Cannot build 'a'. Reason: ", "hash mismatch in", "a 'x' with features "]) {
    const text = `error: ${
      filler.repeat(4 * 2 ** 20 / filler.length)
    }\nerror: builder for '${D}' failed with exit code 3`;
    const { kind, path } = meaningOf(text) as Extract<Meaning, { kind: "failed" }>;
    deepStrictEqual([kind, path], ["failed", D]);
  }
});

Deno.test("plainText(): what a terminal would obey is gone, ends of lines stay", () => {
  const text = "\x1b[31;1merror:\x1b[0m a\x1b]0;title\x07b\x1b]8;;x\x1b\\c\x1b[2J\r\x9bd\0\x1bc\te\n\x1b";
  deepStrictEqual(plainText(text), "error: abcd\te\n");
});
