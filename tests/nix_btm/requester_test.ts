/** What a command line says that was asked for. */
import { deepStrictEqual } from "node:assert/strict";
import { askedCommand } from "../../lib/nix_btm/mod.ts";

const PACKED = ["/cache/deno", "run", "--allow-env", "/cache/bundle.js", "nix-btm"];
const SOURCE = ["deno", "run", "--allow-env", "/src/cmd/nix-btm/main.ts"];

const CASES: [string, string[], string[]][] = [
  ["Nix itself is what it is", ["nix", "build", "--", ".#a"], ["nix", "build", "--", ".#a"]],
  ["run is what it runs", [...PACKED, "run", "--", "nix", "build", "--", "x"], ["nix", "build", "--", "x"]],
  ["run from source too", [...SOURCE, "run", "--height", "9", "--", "nix-build"], ["nix-build"]],
  ["pipe is itself without the runtime", [...PACKED, "pipe", "--json"], ["nix-btm", "pipe", "--json"]],
  ["a command line that was cut", [...PACKED, "run", "--"], ["nix-btm", "run", "--"]],
];
for (const [name, words, asked] of CASES) {
  Deno.test(`askedCommand(): ${name}`, () => deepStrictEqual(askedCommand(words), asked));
}
