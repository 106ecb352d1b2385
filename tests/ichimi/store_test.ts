/** What is kept when the disk takes no more, and what is said of files that are damaged. */
import { DatabaseSync } from "node:sqlite";
import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { Shelf, Store, Timeline, type TimelineEvent } from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

/** While it stands, nothing is written to any table. */
function full(world: World): Disposable {
  const change = (sql: string) => {
    const db = new DatabaseSync(`${world.folder}/state/ichimi.sqlite`);
    db.exec(sql);
    db.close();
  };
  const triggers = ["processes", "items", "facts"].flatMap((table) =>
    ["INSERT", "UPDATE", "DELETE"].map((what) => ({ table, what, name: `full_${table}_${what}` }))
  );
  for (const { table, what, name } of triggers) {
    change(
      `CREATE TRIGGER ${name} BEFORE ${what} ON ${table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END`,
    );
  }
  return {
    [Symbol.dispose]: () => change(triggers.map(({ name }) => `DROP TRIGGER ${name};`).join(" ")),
  };
}

Deno.test("what a full disk does not take has not happened, and can be done later", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("old", "exec sleep 100");
  {
    using _ = full(world);
    await rejects(assistant.call("create_process", { id: "new", command: "true" }), /disk is full/);
    await rejects(assistant.call("update_process", { id: "old", command: "false" }), /disk is full/);
    await rejects(assistant.call("remove_process", { id: "old" }), /disk is full/);
    strictEqual(world.host.list().map(({ id, command }) => `${id} ${command}`).join(), "old sh");
  }
  await assistant.call("create_process", { id: "new", command: "true" });
  await assistant.call("remove_process", { id: "old" });
  strictEqual(world.host.list().map(({ id }) => id).join(), "new");
  await world.reopen();
  strictEqual(world.host.list().map(({ id }) => id).join(), "new");
});

Deno.test("processes start and end on a full disk, and it is told once what is not remembered", async () => {
  await using world = new World();
  using timeline = new Timeline(world.host);
  const assistant = world.assistant();
  await assistant.call("create_process", {
    id: "web",
    command: "sleep",
    args: ["100"],
    restart: "on_failure",
  });
  {
    using _ = full(world);
    await assistant.call("start_process", { id: "web" });
    await assistant.call("stop_process", { id: "web" });
    const types = timeline.events({ process: "web" }).map(({ event_type }) => event_type);
    deepStrictEqual(types, ["ended", "started", "created"]);
    const [first, ...others] = world.complaints;
    match(first!, /^Cannot .* in .*ichimi\.sqlite: disk is full$/);
    deepStrictEqual(others, []);
  }
  await assistant.call("start_process", { id: "web" });
  strictEqual((world.host.shelf.events.at(-1) as TimelineEvent).event_type, "started");
});

Deno.test("what a daemon leaves that is killed while it removes a process the next one removes", async () => {
  await using world = new World();
  const assistant = world.assistant();
  await assistant.run("web", "echo of the one before; exec sleep 100");
  await assistant.call("wait", { process: "web", pattern: "before" });
  const db = new DatabaseSync(`${world.folder}/state/ichimi.sqlite`);
  db.exec("DELETE FROM processes");
  db.close();
  await world.reopen();
  const left = () => [...Deno.readDirSync(`${world.folder}/state/services`)].length;
  await world.until("its end", () => left() === 0);
  const later = world.assistant();
  await later.call("create_process", { id: "web", command: "true" });
  strictEqual(await later.call("get_process_output", { id: "web", stream: "Both" }), "");
});

Deno.test("who finds a folder that another daemon has does not open its store, and takes nothing away", async () => {
  await using world = new World();
  await world.assistant().call("create_process", { id: "web", command: "true" });
  const [file, folder] = [`${world.folder}/state/ichimi.sqlite`, `${world.folder}/state`];
  // As a file watcher does: SQLite's locks are gone with it.
  for (const each of [file, `${file}-wal`, `${file}-shm`]) Deno.openSync(each).close();
  const log = Deno.statSync(`${file}-wal`).ino;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("second_host.ts", import.meta.url).pathname, folder],
  }).output();
  strictEqual(code, 1);
  match(new TextDecoder().decode(stderr), /BusyError/);
  strictEqual(Deno.statSync(`${file}-wal`).ino, log);
  await world.assistant().call("create_process", { id: "db", command: "true" });
  using db = new DatabaseSync(file, { readOnly: true });
  deepStrictEqual(db.prepare("SELECT id FROM processes ORDER BY number").all().map(({ id }) => id), [
    "web",
    "db",
  ]);
});

Deno.test("a store of the first format is read", () => {
  const folder = Deno.makeTempDirSync({ prefix: "ichimi-" });
  try {
    const file = `${folder}/ichimi.sqlite`;
    const db = new DatabaseSync(file);
    db.exec(Deno.readTextFileSync(new URL("testdata/store-1.sql", import.meta.url)));
    db.close();
    using store = Store.open(file);
    const [web, old] = store.processes();
    deepStrictEqual([web!.id, web!.restart, web!.env], ["web", "on_failure", { A: "b" }]);
    deepStrictEqual([old!.command, old!.args, old!.lifetime], ["true", [], "project"]);
    const shelf = new Shelf(store);
    deepStrictEqual([shelf.template("server").command, shelf.newestClip!.content], ["{{program}}", "text"]);
    deepStrictEqual([shelf.events.length, shelf.settings], [1, { language: "ja" }]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a damaged store is told with its file, and what to do about it", () => {
  const folder = Deno.makeTempDirSync({ prefix: "ichimi-" });
  try {
    const file = `${folder}/ichimi.sqlite`;
    Deno.writeTextFileSync(file, "no database ".repeat(1_000));
    throws(() => Store.open(file), (error) => {
      strictEqual(
        String(error),
        `Error: Cannot open store ${file}: file is not a database; move it away to begin with nothing`,
      );
      return true;
    });
    const other = `${folder}/other.sqlite`;
    Store.open(other)[Symbol.dispose]();
    const db = new DatabaseSync(other);
    db.exec("INSERT INTO processes (id, record) VALUES ('web', '{')");
    db.close();
    using store = Store.open(other);
    throws(() => store.processes(), {
      message: `Cannot read process 'web' in store ${other}: it is no JSON`,
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("environments are for their user alone, and nothing is left of those that were forgotten", async () => {
  await using world = new World();
  const [given, own] = [crypto.randomUUID(), crypto.randomUUID()];
  const state = `${world.folder}/state`;
  const files = () =>
    [...Deno.readDirSync(state)].map(({ name }) => name).filter((name) => /sqlite/.test(name));
  const has = (secret: string) =>
    files().some((name) =>
      new TextDecoder("latin1").decode(Deno.readFileSync(`${state}/${name}`)).includes(secret)
    );
  const { PATH = "" } = Deno.env.toObject();
  const assistant = world.assistant(world.client(world.folder, { PATH, TOKEN: given }));
  await assistant.run("web", "exec sleep 100", { env: { OWN: own } });
  deepStrictEqual([has(given), has(own)], [false, true]);
  await assistant.call("update_process", { id: "web", restart: "always" });
  deepStrictEqual([has(given), has(own)], [true, true]);
  for (const name of files()) strictEqual(Deno.statSync(`${state}/${name}`).mode! & 0o777, 0o600, name);
  await assistant.call("update_process", { id: "web", restart: "never", env: {} });
  deepStrictEqual([has(given), has(own)], [false, false]);
  await assistant.call("update_process", { id: "web", restart: "always", env: { OWN: own } });
  await assistant.call("remove_process", { id: "web" });
  deepStrictEqual([has(given), has(own)], [false, false]);
});
