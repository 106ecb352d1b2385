/** What cargo builds, as cargo itself tells it. @module */

/** The program of a rust process. */
export interface CargoTarget {
  readonly package: string;
  readonly bin: string;
  /** Where the built program stands, by profile. */
  readonly targetFolder: string;
}

/** What `cargo metadata` tells, as far as it matters here. */
interface Metadata {
  readonly target_directory: string;
  readonly workspace_default_members?: readonly string[];
  readonly packages: readonly {
    readonly id: string;
    readonly name: string;
    readonly manifest_path: string;
    readonly default_run?: string | null;
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[] }[];
  }[];
}

/** Which program is meant. */
export interface CargoChoice {
  readonly package?: string | undefined;
  readonly bin?: string | undefined;
}

/**
 * Asks cargo (or what stands before it, such as direnv) about the project in `folder`.
 * @throws {Error} In cargo's words, or when it does not say clearly which program is meant.
 */
export async function cargoTarget(
  folder: string,
  options: CargoChoice & {
    readonly prefix: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<CargoTarget> {
  const [program, ...args] = [...options.prefix, "cargo", "metadata", "--format-version", "1", "--no-deps"];
  const { success, stdout, stderr } = await new Deno.Command(program!, {
    args,
    cwd: folder,
    env: { ...options.env },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot find what to build in ${folder}: ${text.decode(stderr).trim()}`);
  return chooseTarget(JSON.parse(text.decode(stdout)), folder, options);
}

/** The program that is meant. Pure. @throws {Error} When there are none or several. */
export function chooseTarget(metadata: Metadata, folder: string, choice: CargoChoice): CargoTarget {
  const owners = metadata.packages.filter(({ targets }) => targets.some(isBin));
  const here = owners.filter(({ manifest_path }) => manifest_path === `${folder}/Cargo.toml`);
  const byDefault = owners.filter(({ id }) => metadata.workspace_default_members?.includes(id) === true);
  const named = owners.filter(({ name }) => name === choice.package);
  const withBin = owners.filter(({ targets }) =>
    targets.some((each) => isBin(each) && each.name === choice.bin)
  );
  const candidates = choice.package !== undefined
    ? named
    : here.length > 0
    ? here
    : choice.bin !== undefined
    ? withBin
    : byDefault.length > 0
    ? byDefault
    : owners;
  const [found] = candidates;
  if (found === undefined || candidates.length > 1) {
    const what = choice.package === undefined ? "" : ` "${choice.package}"`;
    throw new Error(
      `Cannot find what to build in ${folder}: ${
        found === undefined ? `no package${what} has a binary` : "several packages have binaries"
      }; set "package" to one of ${owners.map(({ name }) => name).join(", ") || "none"}`,
    );
  }
  const bins = found.targets.filter(isBin).map(({ name }) => name);
  // As `cargo run` chooses; upstream takes the package's name.
  const bin = choice.bin ?? found.default_run ??
    (bins.length === 1 ? bins[0]! : bins.find((name) => name === found.name));
  if (bin === undefined || !bins.includes(bin)) {
    throw new Error(
      `Cannot find what to run of package "${found.name}": ${
        bin === undefined ? "it has several binaries" : `it has no binary "${bin}"`
      }; set "bin" to one of ${bins.join(", ")}`,
    );
  }
  return { package: found.name, bin, targetFolder: metadata.target_directory };
}

function isBin({ kind }: { readonly kind: readonly string[] }): boolean {
  return kind.includes("bin");
}
