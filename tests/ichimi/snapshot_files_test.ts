/** Files of snapshots that are none: folders, pipes, devices without an end, files that are too large. */
import { strictEqual, throws } from "node:assert/strict";
import { readSnapshot, writeSnapshot } from "../../lib/ichimi/mod.ts";

const EMPTY = { timestamp: "", processes: [] };

Deno.test("what is no file, or too large, is neither read nor written over", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "ichimi-" });
  try {
    const at = (name: string) => `${folder}/${name}`;
    await new Deno.Command("mkfifo", { args: [at("pipe.yaml")] }).output();
    Deno.symlinkSync("/dev/zero", at("endless.yaml"));
    Deno.mkdirSync(at("folder.yaml"));
    using large = Deno.createSync(at("large.yaml"));
    large.truncateSync(2 ** 40);
    for (
      const [name, reason] of [
        ["pipe", "it is no file"],
        ["endless", "it is no file"],
        ["folder", "it is a folder"],
        ["large", "it has 1099511627776 bytes, at most 16777216 are read"],
        ["none", "there is no such file"],
      ]
    ) {
      const path = at(`${name}.yaml`);
      throws(() => readSnapshot(path), { message: `Cannot read snapshot ${path}: ${reason}` });
    }
    for (const [name, what] of [["pipe", "no file"], ["endless", "no file"], ["folder", "a folder"]]) {
      const path = at(`${name}.yaml`);
      throws(() => writeSnapshot(path, EMPTY, "yaml"), {
        message: `Cannot write snapshot ${path}: it is ${what}`,
      });
    }
    strictEqual(Deno.lstatSync(at("pipe.yaml")).isFifo, true);
    writeSnapshot(at("good.yaml"), EMPTY, "yaml");
    strictEqual(readSnapshot(at("good.yaml")).processes.length, 0);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
