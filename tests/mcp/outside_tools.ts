/**
 * The official conformance suite and the Inspector, run as their users run them. They are programs, not parts of this
 * one: what deno.json and its lock file name is fetched for everyone who starts a tool, and these are 130 MB.
 */
import { fail } from "node:assert/strict";
import { ROOT } from "../../lib/build/paths.ts";

const FIXTURE = `${ROOT}tests/mcp/everything/main.ts`;
/** The programs, of fixed versions. */
const PACKAGES = {
  conformance: "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12",
  inspector: "npm:@modelcontextprotocol/inspector@2.12.0",
  openapi: "npm:@seriousme/openapi-schema-validator@2.11.0/validate-api",
};
/** Arguments of the runtime that start the fixture. */
export const FIXTURE_COMMAND: readonly string[] = [
  "run",
  "--allow-all",
  "--quiet",
  "--no-check",
  FIXTURE,
];

/** What a program said and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the programs with a home of its own, and there unless a folder is given. */
export async function runPackage(
  name: keyof typeof PACKAGES,
  args: readonly string[],
  { cwd }: { readonly cwd?: string } = {},
): Promise<Said> {
  const home = await Deno.makeTempDir({ prefix: "hostkit-mcp-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--quiet", "--no-lock", "--no-config", PACKAGES[name], ...args],
      cwd: cwd ?? home,
      env: { HOME: home, NO_COLOR: "1", DENO_DIR: denoDir() },
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** The runtime's cache: it stays where it is although the home is another. */
export function denoDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cache`;
  return Deno.env.get("DENO_DIR") ?? `${cache}/deno`;
}

/** The fixture as a process that listens on a port of 127.0.0.1. */
export interface FixtureProcess extends AsyncDisposable {
  readonly port: number;
}

/** Starts the fixture over HTTP. */
export async function startFixture(): Promise<FixtureProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...FIXTURE_COMMAND, "http", "0"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  let said = "";
  while (!said.includes("\n")) {
    const { value } = await reader.read();
    said += new TextDecoder().decode(value ?? fail("the fixture has ended"));
  }
  const { port } = JSON.parse(said);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
