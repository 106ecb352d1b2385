/** `deno task generate`: writes all generated sources anew; a test fails when one is stale. @module */
import { ROOT } from "../../lib/build/paths.ts";
import { exec } from "../../lib/build/step.ts";
import { sampleConfig } from "../../lib/config/mod.ts";
import { BPM_CONFIG } from "../../lib/bpm/mod.ts";
import { ICHIMI_CONFIG } from "../../lib/ichimi/mod.ts";
import { RECORD_CONFIG } from "../../lib/recording/mod.ts";
import { contractCode, CONTRACTS } from "./proto.ts";
import { AGENT_CONFIG } from "../../lib/telemetry/mod.ts";

/** A generated file: its path in the checkout and what makes its text. */
export interface Generated {
  readonly path: string;
  make(): Promise<string>;
}

export const GENERATED: readonly Generated[] = [
  { path: "lib/telemetry/bpf/syscall_numbers_generated.ts", make: syscallNumbers },
  { path: "config/agent.toml", make: agentSample },
  { path: "config/bpm.mcp-run", make: bpmSample },
  { path: "config/ichimi.toml", make: ichimiSample },
  { path: "config/record.toml", make: recordSample },
  ...[...CONTRACTS].map(([path, contract]) => ({ path, make: () => contractCode(contract) })),
];

export async function run(): Promise<number> {
  for (const { path, make } of GENERATED) await Deno.writeTextFile(ROOT + path, await make());
  return 0;
}

/** The agent's sample configuration, with every key and its default. */
function agentSample(): Promise<string> {
  return Promise.resolve(
    sampleConfig(AGENT_CONFIG, "Configuration of the Rezolus agent: every key with its default."),
  );
}

/** The sample configuration of the processes of assistants. */
function ichimiSample(): Promise<string> {
  return Promise.resolve(
    sampleConfig(ICHIMI_CONFIG, "Configuration of ichimi-server: every key with its default."),
  );
}

/** A project's sample file for the process manager. */
function bpmSample(): Promise<string> {
  return Promise.resolve(
    sampleConfig(BPM_CONFIG, "A project's .mcp-run: every key with its default."),
  );
}

/** The recorder's sample configuration. */
function recordSample(): Promise<string> {
  return Promise.resolve(
    sampleConfig(RECORD_CONFIG, "Configuration of the Rezolus recorder: every key with its default."),
  );
}

/** System call numbers by name and architecture, from the C libraries' `asm/unistd.h`. */
async function syscallNumbers(): Promise<string> {
  const tables: string[] = [];
  for (const [arch, compiler] of [["aarch64", "aarch64-linux-gnu-gcc"], ["x86_64", "gcc"]] as const) {
    const macros = await exec(compiler, ["-E", "-dM", "-include", "asm/unistd.h", "-x", "c", "/dev/null"]);
    const rows = [...macros.matchAll(/^#define __NR(?:3264)?_(\w+) (\d+)$/gm)]
      .map(([, name, number]) => [name!, Number(number)] as const)
      .filter(([name]) => !["syscalls", "arch_specific_syscall"].includes(name))
      .sort((left, right) => left[1] - right[1]);
    tables.push(`  ${arch}: {\n${rows.map(([name, number]) => `    ${name}: ${number},\n`).join("")}  },\n`);
  }
  return `/** System call numbers of Linux, from asm/unistd.h; written by \`deno task generate\`. @module */\n` +
    `export const SYSCALL_NUMBERS: Readonly<Record<"aarch64" | "x86_64", Readonly<Record<string, number>>>> = {\n` +
    `${tables.join("")}};\n`;
}
