/** The end of a log is that of the whole log, wherever its segments begin. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { inspectInstance, type Line, startInstance, type Stream } from "../../lib/keeper/mod.ts";
import { lastLines, readEntries } from "../../lib/services/mod.ts";
import { Folder, until } from "../keeper/_log.ts";

async function log(script: string): Promise<Folder> {
  const folder = new Folder();
  const command = ["/bin/sh", "-c", script] as const;
  await startInstance({ folder: folder.path, command, segmentBytes: 4_096, retainBytes: 1 << 20 }).ended;
  await until("its end", () => inspectInstance(folder.path).kind === "exited");
  return folder;
}

function all(folder: string, stream?: Stream): Line[] {
  const lines: Line[] = [];
  readEntries(folder, (entry) => {
    if (entry.kind === "line" && (stream === undefined || entry.line.stream === stream)) {
      lines.push(entry.line);
    }
  });
  return lines;
}

Deno.test("the last lines of a log of many segments are the last of all", async () => {
  using folder = await log(
    'i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo "line $i"; [ $((i % 400)) -eq 0 ] && echo "odd $i" >&2; done; printf rest',
  );
  for (const stream of [undefined, "stdout", "stderr"] as const) {
    const whole = all(folder.path, stream);
    for (const count of [0, 1, 2, 5, 100, 1_999, 2_006, 5_000]) {
      deepStrictEqual(
        lastLines(folder.path, count, stream),
        count === 0 ? [] : whole.slice(-count),
        `${count}`,
      );
    }
  }
  strictEqual(lastLines(folder.path, 1)[0]?.text, "rest");
  strictEqual(all(folder.path, "stderr").length, 5);
});

Deno.test("where no keeper has come yet there are no lines", () => {
  using folder = new Folder();
  deepStrictEqual(lastLines(folder.path, 10), []);
  deepStrictEqual(lastLines(`${folder.path}/none`, 10), []);
});
