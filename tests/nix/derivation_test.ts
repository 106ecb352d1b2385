/** Derivations as real ones lie in the store, against what `nix show-derivation` says of them. */
import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { parseDerivation } from "../../lib/nix/mod.ts";
import { readTar } from "./_tar.ts";

const FOLDER = new URL("../testdata/nix/", import.meta.url).pathname;

interface Shown {
  readonly system: string;
  readonly builder: string;
  readonly args_count: number;
  readonly env_keys: readonly string[];
  readonly inputSrcs: readonly string[];
  readonly inputDrvs: Readonly<Record<string, readonly string[]>>;
  readonly outputs: Readonly<Record<string, { readonly path?: string }>>;
}

Deno.test("286 derivations are read as Nix shows them", () => {
  const expected: Record<string, Shown> = JSON.parse(
    Deno.readTextFileSync(`${FOLDER}drvs-salt0.expected.json`),
  );
  const files = readTar(`${FOLDER}drvs-salt0.tar.gz`);
  strictEqual(files.size, Object.keys(expected).length);
  for (const [name, text] of files) {
    const drv = parseDerivation(`/nix/store/${name}`, text);
    const shown = expected[name]!;
    const withStore = (path: string) => path.startsWith("/") ? path : `/nix/store/${path}`;
    deepStrictEqual(
      {
        system: drv.system,
        builder: drv.builder,
        args: drv.args.length,
        env: [...drv.env.keys()].sort(),
        sources: drv.sources,
        inputs: Object.fromEntries(drv.inputs.map(({ path, outputs }) => [path, outputs])),
        outputs: Object.fromEntries(drv.outputs.map(({ name, path }) => [name, path])),
      },
      {
        system: shown.system,
        builder: shown.builder,
        args: shown.args_count,
        env: [...shown.env_keys].sort(),
        sources: shown.inputSrcs.map(withStore),
        inputs: Object.fromEntries(
          Object.entries(shown.inputDrvs).map(([path, names]) => [withStore(path), names]),
        ),
        outputs: Object.fromEntries(
          Object.entries(shown.outputs).map(([name, { path = "" }]) => [name, path]),
        ),
      },
      name,
    );
  }
});

const SMALL = String
  .raw`Derive([("out","/s/o","r:sha256","ab")],[("/s/i.drv",["dev","out"])],["/s/src"],"x","/b",["a\nb","c\\\"d"],[("k","v\tw")])`;

Deno.test("escapes are undone, and hashes of outputs are kept", () => {
  const drv = parseDerivation("/s/d.drv", SMALL);
  deepStrictEqual(drv.args, ["a\nb", 'c\\"d']);
  deepStrictEqual([...drv.env], [["k", "v\tw"]]);
  deepStrictEqual(drv.outputs, [{ name: "out", path: "/s/o", hashAlgorithm: "r:sha256", hash: "ab" }]);
  deepStrictEqual(drv.inputs, [{ path: "/s/i.drv", outputs: ["dev", "out"] }]);
});

Deno.test("outputs of outputs, as dynamic derivations have them, count for what has them", () => {
  const text = `DrvWithVersion("xp-dyn-drv",[],[("/s/i.drv",(["out"],[("dev",["x"])]))],[],"x","/b",[],[])`;
  deepStrictEqual(parseDerivation("/s/d.drv", text).inputs, [{ path: "/s/i.drv", outputs: ["out", "dev"] }]);
});

Deno.test("what is cut off anywhere, or is none, is refused with its name and place", () => {
  for (let end = 0; end < SMALL.length; end++) {
    throws(
      () => parseDerivation("/s/d.drv", SMALL.slice(0, end)),
      /^SyntaxError: Cannot read derivation \/s\/d\.drv: at \d+ /,
    );
  }
  throws(
    () => parseDerivation("/s/d.drv", `DrvWithVersion("next",`),
    /version "next" of the format is not known/,
  );
  ok(parseDerivation("/s/d.drv", `${SMALL}\n`));
});
