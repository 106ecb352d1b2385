/** The wrapper around real Nix: the same ends as without it, and everything is told. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { clockNs } from "../../ffi/sys/mod.ts";
import { runWrapped, socketSink, type Words, wrapCommand } from "../../lib/nix_btm/wrap/mod.ts";
import { until } from "../keeper/_log.ts";
import {
  chain,
  endless,
  failingChain,
  type Graph,
  hasNix,
  hasNixShells,
  nameOf,
  NixPlace,
  single,
  wrongHash,
} from "../nix/_nix.ts";
import { outcome, Wrapped } from "./_wrapped.ts";

clockNs("monotonic");

/** A place with the wrapper in it. */
class Scene implements AsyncDisposable {
  readonly place = new NixPlace();
  readonly wrapped = new Wrapped();

  /** The words behind which a command is Nix' in this place, and nothing else of the machine is known. */
  in(...command: string[]): string[] {
    const env = { ...this.place.env, NIX_BUILD_SHELL: "/bin/bash" };
    return ["env", "-i", ...Object.entries(env).map(([key, value]) => `${key}=${value}`), ...command];
  }

  /** Names of derivations whose build was told. */
  built(): string[] {
    return [...this.wrapped.logged().matchAll(/^@nix .*"fields":\["([^"]+\.drv)".*"type":105\}$/gm)]
      .map(([, path]) => nameOf(path!));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]();
    await this.wrapped[Symbol.asyncDispose]();
  }
}

function nixTest(name: string, body: (scene: Scene) => Promise<void>, needs = hasNix): void {
  Deno.test({
    name: `run with nix: ${name}`,
    ignore: !needs,
    async fn() {
      await using scene = new Scene();
      await body(scene);
    },
  });
}

nixTest(
  "a build tells its path on standard output and nothing else, and its records are kept",
  async (scene) => {
    const said = await scene.wrapped.run(...scene.in("nix-build", ...scene.place.build(chain(2))));
    strictEqual(said.ended, 0);
    match(said.stdout, /^\/.*-chain-1\n$/);
    strictEqual(said.stderr, "");
    deepStrictEqual(scene.built(), ["chain-2", "chain-1"]);
  },
);

const ENDS: [name: string, graph: Graph, options: string[]][] = [
  ["a failure", failingChain(), []],
  ["a time limit", endless(), ["--timeout", "1"]],
  ["a wrong hash", wrongHash(), []],
];
for (const [name, graph, options] of ENDS) {
  nixTest(`${name} ends with the code that Nix has for it`, async (scene) => {
    const command = ["nix-build", ...scene.place.build(graph), ...options];
    const plain = await scene.place.run(command[0]!, command.slice(1));
    const { ended, stdout, stderr } = await scene.wrapped.run(...scene.in(...command));
    deepStrictEqual([ended, stdout, stderr], [plain.code, plain.stdout, ""]);
    ok(plain.code > 0);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  nixTest(`${signal} ends a build as it does without the wrapper, and no builder stays`, async (scene) => {
    const command = ["nix-build", ...scene.place.build(endless())];
    const end = async (child: Deno.ChildProcess) => {
      await until("the build", () => scene.place.building().length === 1);
      child.kill(signal);
      const { ended } = await outcome(child);
      await until("its end", () => scene.place.building().length === 0);
      return ended;
    };
    const [program, ...args] = command;
    const plain = scene.place.command(program!, args, { stdout: "piped", stderr: "piped" });
    const expected = await end(plain.spawn());
    strictEqual(await end(scene.wrapped.spawn(scene.in(...command))), expected);
    match(scene.wrapped.logged(), /interrupted by the user/);
  });
}

nixTest("every program that gets the options takes them", async (scene) => {
  const { place, wrapped } = scene;
  const file = place.write(single());
  const [drv] = await place.derivations(single());
  const commands = [
    ["nix-instantiate", file],
    ["nix-store", "--realise", drv!],
    ["nix-store", "--verify", "--check-contents"],
    ["nix-env", "-f", file, "-iA", "single"],
    ["nix", "build", "-f", file, "single", "--no-link"],
    ["nix", "run", "-f", file, "single"],
    ["nix", "path-info", "-f", file, "single"],
    ["nix", "eval", "-f", file, "single.name"],
    ["nix", "copy", "--to", `file://${place.folder}/copy`, "-f", file, "single"],
    ["nix", "store", "optimise"],
    ["nix", "flake", "metadata", `path:${place.folder}/home`],
    ["nix", "profile", "install", "--profile", `${place.folder}/profile`, "-f", file, "single"],
    ["nix-collect-garbage"],
  ];
  Deno.writeTextFileSync(`${place.folder}/home/flake.nix`, "{ outputs = _: { }; }");
  for (const command of commands) {
    const { ended, stderr } = await wrapped.run(...scene.in(...command));
    // What is built here is no program: that it cannot be run is another matter.
    if (command[1] === "run") strictEqual(ended, 1, command.join(" "));
    else {deepStrictEqual(
        [ended, stderr.match(/unrecogni[sz]ed|unknown/)],
        [0, null],
        `${command.join(" ")}: ${stderr}`,
      );}
    match(wrapped.logged(), /^@nix \{"action"/m, command.join(" "));
  }
});

nixTest("nix-shell builds what its shell needs under our eyes, and then has its exit code", async (scene) => {
  const file = scene.place.write(chain(2));
  const command = ["nix-shell", file, "-A", "chain-1", "--run", "echo shell; echo err >&2; exit 5"];
  const said = await scene.wrapped.run(...scene.in(...command));
  deepStrictEqual([said.ended, said.stdout], [5, "shell\n"]);
  // Of the preparation nothing is seen.
  strictEqual(said.stderr.match(/err/g)?.length, 1);
  deepStrictEqual(scene.built(), ["chain-2"]);
}, hasNixShells);

nixTest("nix shell runs its command once, when all is built", async (scene) => {
  const file = scene.place.write(single());
  const command = ["nix", "shell", "-f", file, "single", "--command", "/bin/sh", "-c", "echo once"];
  const said = await scene.wrapped.run(...scene.in(...command));
  deepStrictEqual(said, { ended: 0, stdout: "once\n", stderr: "" });
  deepStrictEqual(scene.built(), ["single"]);
});

nixTest("nix develop builds its environment under our eyes, and then runs in it", async (scene) => {
  const { roots, nodes } = chain(2);
  // It takes only derivations that bash builds.
  const graph = { roots, nodes: nodes.map((node) => ({ ...node, attributes: 'builder = "/bin/bash";' })) };
  const inside = ["--command", "/bin/sh", "-c", "echo inside; exit 3"];
  const said = await scene.wrapped.run(
    ...scene.in("nix", "develop", "-f", scene.place.write(graph), "chain-1", ...inside),
  );
  deepStrictEqual([said.ended, said.stdout], [3, "inside\n"]);
  deepStrictEqual(scene.built(), ["chain-2", "chain-1-env"]);
}, hasNixShells);

nixTest("a shell whose inputs cannot be built does not begin", async (scene) => {
  const file = scene.place.write(failingChain());
  const said = await scene.wrapped.run(
    ...scene.in("nix-shell", file, "-A", "chain-1", "--run", "echo shell"),
  );
  deepStrictEqual([said.ended, said.stdout], [100, ""]);
  deepStrictEqual(scene.built(), ["chain-3", "chain-2"]);
});

nixTest("a monitor on a socket hears the records that are saved", async (scene) => {
  const path = `${scene.place.folder}/nix.sock`;
  using listener = Deno.listen({ transport: "unix", path });
  const accepted = listener.accept();
  const sink = socketSink(path);
  const log: string[] = [];
  const decoder = new TextDecoder();
  const words = scene.in("nix-build", "-Q", ...scene.place.build(chain(3))) as unknown as Words;
  // Standard output is the test's own.
  const quiet = ["sh", "-c", 'exec "$@" >/dev/null', "sh", ...wrapCommand(words).words] as unknown as Words;
  const ended = await runWrapped({ kind: "records", words: quiet }, {
    sinks: [sink.take, (bytes) => void log.push(decoder.decode(bytes, { stream: true }))],
    show: () => {},
  });
  deepStrictEqual(ended, { kind: "exited", code: 0 });
  using connection = await accepted;
  const heard = new Response(connection.readable).text();
  await sink[Symbol.asyncDispose]();
  strictEqual(await heard, log.join("").replaceAll("@nix ", ""));
  const { dropped, connections } = sink.counts();
  deepStrictEqual([dropped, connections], [0, 1]);
});
