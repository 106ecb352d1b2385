/** What may be started, in upstream's words. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { defaults } from "../../lib/config/mod.ts";
import { type Found, ICHIMI_CONFIG, type Policy, policyOf, refusal } from "../../lib/ichimi/mod.ts";

const DEFAULT = policyOf(defaults(ICHIMI_CONFIG));

function refused(
  given: { command?: string; args?: string[]; env?: Record<string, string>; cwd?: string | null },
  policy: Partial<Policy> = {},
  find: (folder: string) => Found = (path) => ({ path }),
): string | undefined {
  return refusal(
    { command: "true", args: [], env: {}, cwd: null, ...given },
    { ...DEFAULT, ...policy },
    find,
  );
}

Deno.test("commands that a shell would expand are refused, others are not", () => {
  strictEqual(refused({ command: " " }), "Command cannot be empty");
  for (const found of ["&&", "||", ";", "|", "$(", "`", "\n", "\r", ">", "<"]) {
    strictEqual(
      refused({ command: `a${found}b` }),
      `Command contains potentially dangerous pattern: '${found}'`,
    );
  }
  strictEqual(refused({ command: "$HOME/x" }), "Command contains potential shell expansion: '$'");
  for (const wildcard of ["a*", "a?", "[a"]) {
    strictEqual(refused({ command: wildcard }), "Command contains wildcards which are not allowed");
  }
  for (const good of ["npm", "/usr/bin/env", "./run me", "é"]) {
    strictEqual(refused({ command: good }), undefined);
  }
});

Deno.test("arguments: none are empty, and only what follows -c may have what a shell expands", () => {
  strictEqual(refused({ args: ["a", ""] }), "Empty arguments are not allowed");
  strictEqual(refused({ args: ["a\x07"] }), "Arguments contain control characters");
  strictEqual(refused({ args: ["$HOME"] }), "Argument contains shell expansion: '$HOME'");
  strictEqual(refused({ args: ["`id`"] }), "Argument contains shell expansion: '`id`'");
  for (const good of [["-c", "echo $HOME | cat"], ["--x=$1"], ["a b", "c\td"], ["*.ts", "a;b", "a|b"]]) {
    strictEqual(refused({ args: good }), undefined, good.join(" "));
  }
});

Deno.test("environment: loaders' variables, in any case, and what is no name", () => {
  const names = ["LD_PRELOAD", "ld_library_path", "DYLD_INSERT_LIBRARIES", "Path"];
  for (const name of names) {
    strictEqual(refused({ env: { [name]: "x" } }), `Setting '${name}' environment variable is not allowed`);
  }
  strictEqual(refused({ env: { "": "x" } }), "Environment variable key cannot be empty");
  strictEqual(refused({ env: { "A=B": "x" } }), "Environment variable key 'A=B' is not a name");
  strictEqual(refused({ env: { A: "x\0" } }), "Environment variable 'A' contains control characters");
  strictEqual(refused({ env: { A: "two\nlines\t", PATHS: "" } }), undefined);
});

Deno.test("folders: there, no system's, and among those that are allowed, links resolved", () => {
  const at = (cwd: string, policy: Partial<Policy> = {}, find?: (folder: string) => Found) =>
    refused({ cwd }, policy, find);
  strictEqual(at("/x", {}, () => ({ problem: "missing" })), "Working directory does not exist: /x");
  strictEqual(at("/x", {}, () => ({ problem: "no folder" })), "Working directory is not a directory: /x");
  strictEqual(at("/"), "Access to root directory '/' is not allowed");
  for (const folder of ["/etc", "/sys", "/proc", "/dev", "/boot"]) {
    strictEqual(at(folder), `Access to system directory '${folder}' is not allowed`);
  }
  strictEqual(
    at("/home/link", {}, () => ({ path: "/etc" })),
    "Access to system directory '/etc' is not allowed",
  );
  strictEqual(at("/etcetera"), undefined);
  const folders = ["/home/alice", "/tmp"];
  strictEqual(at("/srv", { folders }), "Working directory must be within home directory or /tmp");
  strictEqual(at("/home/alicia", { folders }), "Working directory must be within home directory or /tmp");
  deepStrictEqual(["/home/alice", "/home/alice/x", "/tmp/y"].map((cwd) => at(cwd, { folders })), [
    undefined,
    undefined,
    undefined,
  ]);
  strictEqual(at("/srv", { folders: ["/opt"] }), "Working directory must be within /opt");
});

Deno.test("what is switched off is not refused, except what no program can be given", () => {
  const off = { refuseShellSyntax: false, refuseEnv: [], refuseFolders: [], folders: [] };
  strictEqual(refused({ command: "a;b*", args: ["", "$x"], env: { PATH: "/x" }, cwd: "/" }, off), undefined);
  strictEqual(refused({ args: ["a\0b"] }, off), "Arguments contain control characters");
  strictEqual(refused({ command: "" }, off), "Command cannot be empty");
});
