/** `deno task proto`: code from the contracts in `proto/`; part of `deno task generate`, too. @module */
import { ROOT } from "../../lib/build/paths.ts";
import { exec, filesBelow } from "../../lib/build/step.ts";

/** Where the code goes; a file for each contract, beside each other. */
const FOLDER = "lib/cluster/proto";
/** Of one version with the runtime in deno.json. */
const GENERATOR = "npm:@bufbuild/protoc-gen-es@2.17.0";

/** Contracts of ours by the path of their code. */
export const CONTRACTS: ReadonlyMap<string, string> = new Map(
  filesBelow("proto/cluster", /\.proto$/).map((path) => {
    const contract = path.slice(path.indexOf("proto/") + "proto/".length);
    const name = contract.slice(contract.lastIndexOf("/") + 1).replace(/\.proto$/, "");
    return [`${FOLDER}/${name}_generated.ts`, contract];
  }),
);

export async function run(): Promise<number> {
  for (const [path, contract] of CONTRACTS) {
    await Deno.writeTextFile(ROOT + path, await contractCode(contract));
  }
  return 0;
}

/** What the generator makes of a contract, under names of the house. */
export async function contractCode(contract: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "hostkit-proto-" });
  try {
    const plugin = `${folder}/protoc-gen-es`;
    await Deno.writeTextFile(
      plugin,
      `#!/bin/sh\nexec "${Deno.execPath()}" run -A --quiet ${GENERATOR} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    await exec("protoc", [
      ...["-I", `${ROOT}proto`, `--plugin=${plugin}`],
      ...[`--es_out=${folder}`, "--es_opt=target=ts,import_extension=ts", contract],
    ]);
    const text = await Deno.readTextFile(`${folder}/${contract.replace(/\.proto$/, "_pb.ts")}`);
    const code = text.replaceAll(/from "(?:\.\/|.*\/)(\w+)_pb\.ts"/g, 'from "./$1_generated.ts"')
      .replace("/* eslint-disable */\n", "// deno-lint-ignore-file\n");
    const file = `${folder}/code.ts`;
    await Deno.writeTextFile(
      file,
      `/** Code of ${contract}; written by \`deno task generate\`. @module */\n${code}`,
    );
    await exec(Deno.execPath(), ["fmt", "--quiet", "--config", `${ROOT}deno.json`, file]);
    return await Deno.readTextFile(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
