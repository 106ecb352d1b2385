/** Mutated `.mcp-run` files: each is read, or refused as a configuration that names its file. */
import { ok } from "node:assert/strict";
import { BPM_CONFIG, loadBpmConfig, Manager } from "../../lib/bpm/mod.ts";
import { ConfigError } from "../../lib/config/mod.ts";
import { fuzzCount, mutate } from "../fuzz.ts";
import { type SeededRandom, seededRandom, testSeed } from "../metrics/seeded.ts";

const COUNT = fuzzCount(20_000);

const SAMPLE = `mcp_port = 3001
dev_timeout_hours = 3
log_mib = 10
[process.api]
type = "rust"
args = ["--port", "8080"]
package = "server"
depends_on = { database = "ready", "seed" = "completed_successfully" }
[process.api.live]
http = "http://127.0.0.1:8080/health"
every = "5s"
failures = 3
[process.database]
type = "command"
command = ["postgres", "-D", "data"]
build = ["make"]
cwd = "db"
env = { PGDATA = "data", PORT = "5432" }
ready = { log = "ready to accept [a-z]+", within = "2s" }
restart = "on-failure"
max_failures = 5
grace = "5s"
listen = "127.0.0.1:8080"
swap = "auto"
overlap = true
nice = -5
[process.seed]
command = ["./seed", "\\u00e4", 'literal']
ready.tcp = "[::1]:80"
lifetime = "session"
`;

/** Words of TOML and of this file, that take the place of others or stand between them. */
const WORDS = [
  ...SAMPLE.split(/([\s\[\]{}=,."']+)/).filter((word) => word !== ""),
  ..."true false 0 -1 1e400 nan inf 0x1f 99999999999999999999 1979-05-27T07:32:00Z [] {} [[ ]] = . , \n # ' \" \"\"\" '''"
    .split(" "),
  "[process]",
  "[process.x.y]",
  "\u0000",
  "\ud83d\ude00",
  "__proto__",
  "constructor",
  ...Object.keys(BPM_CONFIG),
];

/** Another text of mostly the same words. */
function mutateWords(text: string, random: SeededRandom): string {
  const words = text.split(/([\s\[\]{}=,."']+)/);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(words.length);
    const word = WORDS[random.below(WORDS.length)]!;
    const kind = random.below(4);
    if (kind === 0) words[at] = word;
    else if (kind === 1) words.splice(at, 0, word);
    else if (kind === 2) words.splice(at, 1 + random.below(3));
    else words.splice(at, 0, ...words.slice(random.below(words.length)).slice(0, 1 + random.below(12)));
  }
  return words.join("");
}

/** As a manager begins: what cannot be a service is refused in words of our own. */
async function open(file: string, folder: string): Promise<void> {
  const { config } = loadBpmConfig(file);
  const manager = Manager.open({ folder, config, stateFolder: `${folder}/state` });
  await manager[Symbol.asyncDispose]();
}

Deno.test(`of files that are read managers are made, or it is said what makes no sense`, async () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const folder = Deno.makeTempDirSync({ prefix: "mcp-run-" });
  const file = `${folder}/.mcp-run`;
  let made = 0;
  for (let index = 0; index < COUNT / 40; index++) {
    const text = mutateWords(SAMPLE, random);
    Deno.writeTextFileSync(file, text);
    try {
      await open(file, folder);
      made++;
    } catch (error) {
      const isOurs = error instanceof ConfigError || error instanceof SyntaxError ||
        error instanceof RangeError;
      ok(isOurs && error.message.startsWith("Cannot "), `seed ${seed}, file ${index}: ${error}\n${text}`);
    }
  }
  ok(made > 0, "none was made");
  Deno.removeSync(folder, { recursive: true });
});

Deno.test(`${COUNT} mutated files are read, or refused by a message that names the file`, () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const file = Deno.makeTempFileSync({
    prefix: "mcp-run-",
    dir: Deno.statSync("/dev/shm").isDirectory ? "/dev/shm" : "/tmp",
  });
  const sample = new TextEncoder().encode(SAMPLE);
  let read = 0;
  for (let index = 0; index < COUNT; index++) {
    const bytes = random.below(2) === 0
      ? mutate(sample, random)
      : new TextEncoder().encode(mutateWords(SAMPLE, random));
    Deno.writeFileSync(file, bytes);
    try {
      loadBpmConfig(file);
      read++;
    } catch (error) {
      const where = `seed ${seed}, file ${index}: ${error instanceof Error ? error.stack : error}\n`;
      ok(
        error instanceof ConfigError && error.message.includes(file),
        where + new TextDecoder().decode(bytes),
      );
    }
  }
  ok(read > COUNT / 100 && read < COUNT, `${read} of ${COUNT} were read`);
  Deno.removeSync(file);
});
