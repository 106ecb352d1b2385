/** How a service of a compose file is reached, and how it is asked whether it is well. Pure. @module */
import type { ProbeKeys } from "./found.ts";
import { isTable, type Keys } from "./keys.ts";
import { interpolate } from "./variables.ts";

/** Ports behind which no page is: mail, names, databases, queues. */
const NO_PAGES = /^(?:22|25|53|1433|1521|2181|3306|4222|5432|5672|6379|9042|9092|11211|27017)$/;

/** Whether a browser may find something there. */
export function mayHavePages(port: number): boolean {
  return !NO_PAGES.test(`${port}`);
}

interface HealthContext {
  readonly name: string;
  /** How docker compose is called. */
  readonly compose: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The health check of a service, asked inside of its container; taken. */
export function healthOf(keys: Keys, { name, compose, env }: HealthContext): ProbeKeys | undefined {
  if (!keys.has("healthcheck")) return undefined;
  const check = keys.table("healthcheck");
  const test = check.texts("test") ?? [];
  const isOff = check.toggle("disable") === true || test[0] === "NONE";
  const [form, ...words] = test.length === 1 ? ["CMD-SHELL", ...test] : test;
  const texts = words.map((each) => interpolate(each, env).text);
  const inside = form === "CMD-SHELL" ? ["sh", "-c", texts.join(" ")] : texts;
  const probe = {
    exec: [...compose, "exec", "-T", name, ...inside],
    every: check.duration("interval"),
    within: check.duration("timeout"),
    failures: check.number("retries"),
  };
  // How long failures do not count matters only to docker: here a service is waited for until it is ready.
  check.pass("start_period", "start_interval");
  check.untaken();
  if (isOff) return undefined;
  if (words.length === 0) {
    check.notes.push("healthcheck: only the image knows the test, so that it counts as ready when it runs");
    return undefined;
  }
  return probe;
}

const PORTS = /^(?:(?:\[[^\]]*\]|\d+\.[\d.]+):)?(?:(\d+)(?:-\d+)?:)?(\d+)(?:-\d+)?(?:\/(tcp|udp))?$/;

/** The first TCP port that the host has of a service; taken. */
export function publishedPort(keys: Keys, env: Readonly<Record<string, string>>): number | undefined {
  const value = keys.take("ports");
  for (const each of Array.isArray(value) ? value : []) {
    if (isTable(each)) {
      const published = interpolate(String(each.published ?? ""), env).text.split("-")[0];
      if (each.protocol !== "udp" && Number(published) > 0) return Number(published);
      continue;
    }
    const { text, missing } = interpolate(String(each), env);
    const found = PORTS.exec(text);
    if (found === null) {
      const why = missing.length > 0 ? `${missing.join(", ")} is not set` : "is no port";
      keys.notes.push(`ports: ${JSON.stringify(each)}: ${why}, so that there is no url and no probe`);
      continue;
    }
    const [, published, , protocol] = found;
    if (protocol !== "udp" && published !== undefined) return Number(published);
  }
  return undefined;
}
