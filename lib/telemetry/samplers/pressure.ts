/** Time in which tasks waited for CPU, memory or I/O; source `/proc/pressure` (Linux 4.20, PSI). @module */
import { counter } from "../../metrics/mod.ts";
import { Columns } from "../columns.ts";
import { type Sampler, unavailable } from "../sampler.ts";

const RESOURCES = ["cpu", "io", "memory"] as const;
const KINDS = ["some", "full"] as const;

const STALLED = RESOURCES.flatMap((resource) =>
  KINDS.map((kind) =>
    counter("pressure_stalled", {
      unit: "nanoseconds",
      help: "Time in which some task, or all that were not idle, waited for CPU, I/O or memory",
      labels: { resource, kind },
    })
  )
);

export const pressure: Sampler = {
  name: "pressure",
  summary: "Time in which tasks waited for CPU, memory or I/O (PSI).",
  metrics: STALLED,
  open({ procfs }) {
    const read = (resource: string) => procfs.text(`/proc/pressure/${resource}`);
    if (read("cpu") === undefined) {
      return unavailable("this kernel has no PSI: /proc/pressure/cpu cannot be read (CONFIG_PSI, psi=1)");
    }
    const columns = Columns.of("pressure", "host", STALLED.map((metric) => ({ metric })));
    return {
      sample() {
        RESOURCES.forEach((resource, row) => {
          const text = read(resource) ?? "";
          KINDS.forEach((kind, column) => {
            // Kernels before 5.13 have no "full" line for the CPU: it stays 0.
            columns.setCounter(row * KINDS.length + column, (parseStalledUs(text, kind) ?? 0n) * 1_000n);
          });
        });
        return [columns.toGroup()];
      },
      [Symbol.dispose]() {},
    };
  },
};

/** Total stall time in microseconds of the line `kind` of a PSI file; `undefined` without such a line. */
export function parseStalledUs(text: string, kind: "some" | "full"): bigint | undefined {
  const total = new RegExp(`^${kind} .*total=(\\d+)$`, "m").exec(text)?.[1];
  return total === undefined ? undefined : BigInt(total);
}
