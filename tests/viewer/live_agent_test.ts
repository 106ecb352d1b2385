/** The whole line: tracepoints of this kernel, the agent, the viewer, a browser. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { SECTIONS, startViewer } from "../../lib/viewer/mod.ts";
import { formatAddress } from "../../lib/web/mod.ts";
import { assertEqualsApi, browser, drawn, exists, type Held, onPage } from "./browser.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Points that every chart has before it is compared. */
const LEAST_POINTS = 20;

const ignore = browser.ignore || Deno.uid() !== 0 || !exists("/sys/kernel/btf/vmlinux") ||
  !exists(`${ROOT}.build/assets/bpf/sched.bpf.o`);

Deno.test({
  name:
    "a live agent's charts hold what query_range answers, and a burner shows on its CPU (needs chromium, root, BTF)",
  ...browser,
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const socket = `${folder}/agent.sock`;
    await Deno.writeTextFile(`${folder}/agent.toml`, `[general]\nlisten = "unix:${socket}"\n`);
    const run = (args: string[]) =>
      new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null", stdout: "null", stderr: "null" })
        .spawn();
    const cpus = navigator.hardwareConcurrency;
    const burnerCpu = cpus > 1 ? 1 : 0;
    const agent = run([
      "run",
      "--allow-all",
      "--no-check",
      "cmd/rezolus/main.ts",
      "agent",
      `${folder}/agent.toml`,
    ]);
    const burner = new Deno.Command("taskset", {
      args: ["-c", String(burnerCpu), "sh", "-c", "while :; do :; done"],
      stdin: "null",
    }).spawn();
    try {
      await using viewer = await startViewer({
        show: { agent: { kind: "unix", path: socket } },
        listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      });
      const url = formatAddress(viewer.address);
      await onPage(url, async (page) => {
        await page.waitForFunction(
          (least) => {
            const charts = (globalThis as unknown as { hostkit: { charts(): Held[] } }).hostkit.charts();
            return charts.some(({ id, series }) =>
              id === "overview.cores" &&
              (series[0]?.values.filter((value) => value !== null).length ?? 0) >= least
            );
          },
          LEAST_POINTS,
          { timeout: 90_000 },
        );
        const kinds = new Set<string>();
        for (const [index, { id }] of SECTIONS.entries()) {
          await page.keyboard.press(String(index + 1));
          const charts = await drawn(page, id);
          for (const kind of await assertEqualsApi(url, charts)) kinds.add(kind);
          if (id !== "overview" || cpus < 2) continue;
          const cores = charts.find((chart) => chart.id === "overview.cores")!;
          const { values } = cores.series.find(({ labels }) => labels.id === String(burnerCpu))!;
          const newest = values.filter((value) => value !== null).slice(-5);
          ok(newest.every((value) => value! > 0.8), `CPU ${burnerCpu} is busy: ${newest}`);
        }
        deepStrictEqual([...kinds].sort(), ["heat", "lines"]);
      });
    } finally {
      for (const child of [burner, agent]) child.kill();
      await Promise.all([burner.status, agent.status]);
      await Deno.remove(folder, { recursive: true });
    }
  },
});
