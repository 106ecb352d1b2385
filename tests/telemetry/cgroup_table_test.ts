/** Cgroups: names from what the kernel wrote, ids that are used again, and paths that are gone. */
import { deepStrictEqual } from "node:assert/strict";
import { CgroupTable, MAX_CGROUPS } from "../../lib/telemetry/bpf/cgroup_table.ts";
import type { BpfSource } from "../../lib/telemetry/bpf/source.ts";
import { Procfs } from "../../lib/telemetry/procfs.ts";

/** `CGROUP_DEPTH` names of `CGROUP_NAME_BYTES` behind a level of 8 bytes. */
const [DEPTH, NAME_BYTES] = [6, 96];
const ENTRY_BYTES = 8 + DEPTH * NAME_BYTES;

/** The maps as the kernel fills them. */
class Maps {
  readonly serials = new Uint32Array(2 * MAX_CGROUPS);
  readonly memory = new ArrayBuffer(MAX_CGROUPS * ENTRY_BYTES);

  put(id: number, serial: number, path: string): void {
    const parts = path.split("/").filter((part) => part !== "");
    const entry = new Uint8Array(this.memory, id * ENTRY_BYTES, ENTRY_BYTES).fill(0);
    entry[0] = parts.length;
    parts.reverse().slice(0, DEPTH).forEach((part, depth) => {
      entry.set(new TextEncoder().encode(part).subarray(0, NAME_BYTES - 1), 8 + depth * NAME_BYTES);
    });
    this.serials[2 * id] = serial;
  }

  source(): BpfSource {
    return { words: () => this.serials, map: () => ({ memory: this.memory }) } as unknown as BpfSource;
  }
}

Deno.test("cgroups are told by their whole names, and as long as they stand", async () => {
  const root = await Deno.makeTempDir();
  try {
    const scope = `cri-containerd-${"5".repeat(64)}.scope`;
    const long = "x".repeat(200);
    for (const path of [scope, long, "gone"]) {
      await Deno.mkdir(`${root}/sys/fs/cgroup/cpu/${path}`, { recursive: true });
    }
    const maps = new Maps();
    const table = new CgroupTable(maps.source(), new Procfs(root));
    maps.put(1, 1, "/");
    maps.put(2, 7, `/${scope}`);
    maps.put(3, 8, `/${long}`);
    maps.put(4, 9, "/gone");
    maps.put(5, 10, "/a/b/c/d/e/f/g");
    table.refresh();
    const kept = ["/", `/${scope}`, `/${"x".repeat(95)}…`];
    const deep = "…/b/c/d/e/f/g";
    deepStrictEqual(table.cgroups.map(({ path }) => path), [...kept, "/gone", deep]);

    await Deno.remove(`${root}/sys/fs/cgroup/cpu/gone`);
    for (let round = 0; round < 60; round++) table.refresh();
    deepStrictEqual(table.cgroups.map(({ path }) => path), [...kept, deep]);
    maps.put(4, 11, "/again");
    table.refresh();
    deepStrictEqual(table.cgroups.map(({ id, path }) => `${id}${path}`), [
      ...kept.map((path, at) => `${at + 1}${path}`),
      "4/again",
      `5${deep}`,
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
