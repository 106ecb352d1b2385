/**
 * What upstream's `get_status` answers, read line by line by how each begins, as upstream's own TUI does. Pure.
 *
 * Source: Baughn/background-process-manager @ c58df35; the text is a contract (`Mode:`, `Processes:`, `  name: state`,
 * then lines of four and six blanks).
 * @module
 */
import type { Overview, ServiceInfo } from "./service.ts";

/** Lines that are not known are left out: a server may say more. */
export function parseStatusText(text: string): Overview {
  let mode: string | undefined;
  let modeNote: string | undefined;
  let inProcesses = false;
  const services: ServiceInfo[] = [];
  let events: string[] = [];
  const change = (values: Partial<ServiceInfo>) => {
    const last = services.pop();
    if (last !== undefined) services.push({ ...last, ...values });
  };
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("Mode: ")) mode = line.slice("Mode: ".length).trim();
    else if (/^(Time until release mode: |Currently in release mode)/.test(line)) modeNote = line.trim();
    else if (line.startsWith("Processes:")) inProcesses = true;
    else if (!inProcesses) continue;
    else if (line.startsWith("      - ")) {
      events = [...events, line.slice("      - ".length).trim()];
      change({ events });
    } else if (line.startsWith("    Uptime: ")) change({ uptimeMs: parseUptime(line) });
    else if (line.startsWith("    Crash count: ")) change({ crashes: Number(line.slice(17)) || 0 });
    else if (line.startsWith("    ")) continue;
    else {
      // A name may hold colons: the state is behind the last one.
      const found = /^ {2}(\S.*): ([a-z]+)$/.exec(line.trimEnd());
      if (found === null) continue;
      events = [];
      services.push({ name: found[1]!, state: found[2]!, crashes: 0, dependsOn: [], events });
    }
  }
  services.sort((one, other) => one.name < other.name ? -1 : 1);
  return {
    services,
    ...mode === undefined ? {} : { mode },
    ...modeNote === undefined ? {} : { modeNote },
  };
}

/** `H hours M minutes`. */
function parseUptime(line: string): number {
  const [, hours = "0", minutes = "0"] = /(\d+) hours? (\d+) minutes?/.exec(line) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * 60_000;
}
