import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { tableLines } from "../../cmd/dev/bench.ts";
import { closingCounts } from "../../cmd/dev/test.ts";
import { cFiles, formatCommands, lintCommands, runAll, typeCommands } from "../../lib/build/checks.ts";

Deno.test("format covers hand-written C and BPF, and nothing that is generated", () => {
  const files = cFiles();
  for (const file of ["ffi/launcher/launcher.c", "ffi/ring/ring.h", "bpf/sched.bpf.c"]) {
    ok(files.includes(file));
  }
  ok(!files.includes("bpf/vmlinux.h"));
  ok(
    formatCommands({ check: true }).every((command) =>
      command.some((word) => /^--(check|dry-run)$/.test(word))
    ),
  );
  ok(formatCommands({ check: false }).every((command) => !command.includes("--check")));
});

Deno.test("types are checked of all modules, and of pages in a call of their own", () => {
  const [modules, pages] = typeCommands();
  ok(modules!.includes("lib/metrics/mod.ts") && modules!.includes("cmd/dev/main.ts"));
  ok(modules!.every((file) => !/^lib\/\w+\/web\//.test(file)));
  deepStrictEqual(pages!.filter((word) => word.endsWith(".tsx")), [
    "lib/ichimi/web/main.tsx",
    "lib/viewer/web/main.tsx",
  ]);
  strictEqual(lintCommands()[0]![1], "lint");
});

Deno.test("runAll(): one that fails makes the whole fail, and the others still run", async () => {
  strictEqual(await runAll([["/bin/true"]]), 0);
  const mark = await Deno.makeTempFile();
  strictEqual(await runAll([["/bin/false"], ["/bin/sh", "-c", `echo ran > ${mark}`]]), 1);
  strictEqual(await Deno.readTextFile(mark), "ran\n");
  await Deno.remove(mark);
});

Deno.test("the table of a bench shows each row with its bar and verdict, or that it has none", () => {
  const rows = [
    { name: "first", value: 1234.5, unit: "ms", bar: "<= 2000", ok: true },
    { name: "the second", value: 1.2345, unit: "x", bar: "<= 1", ok: false },
    { name: "third", value: NaN, unit: "MB" },
  ];
  deepStrictEqual(tableLines(rows), [
    "  first       1235 ms  <= 2000  ok",
    "  the second  1.23 x   <= 1     MISSED",
    "  third       none MB  no bar",
  ]);
});

Deno.test("closingCounts() takes the last closing line, and never calls a run good that ended badly", () => {
  const passed = "ok | 3 passed (2 steps) | 0 failed | 1 ignored (5ms)\n";
  deepStrictEqual(closingCounts(passed, 0), { passed: 3, failed: 0, skipped: 1 });
  deepStrictEqual(closingCounts(`${passed}FAILED | 4 passed | 2 failed (1s)\n`, 1), {
    passed: 4,
    failed: 2,
    skipped: 0,
  });
  deepStrictEqual(closingCounts(passed, 1), { passed: 3, failed: 1, skipped: 1 });
  deepStrictEqual(closingCounts("error: cannot load\n", 1), { passed: 0, failed: 1, skipped: 0 });
});
