/**
 * Debian's archive beside the machine's own apt: packages of another architecture or release, unpacked into a folder.
 * Nothing is installed, and the machine's apt configuration stays as it is.
 * @module
 */
import { BUILD } from "./paths.ts";
import { exec } from "./step.ts";

/** What is read of the archive. */
export interface ArchiveOptions {
  /** Debian's name of the architecture: `amd64`, `arm64`. */
  readonly architecture: string;
  /** A release, `bullseye`; that of this machine by default. */
  readonly suite?: string;
}

/** An apt of its own, with the mirror that the machine's apt uses. Disposing removes its lists and downloads. */
export class DebianArchive implements AsyncDisposable {
  readonly #state: string;
  readonly #flags: readonly string[];

  private constructor(state: string, flags: readonly string[]) {
    this.#state = state;
    this.#flags = flags;
  }

  /** Fetches the lists: about ten megabytes. */
  static async open({ architecture, suite }: ArchiveOptions): Promise<DebianArchive> {
    const mirror = await debianMirror();
    const state = `${BUILD}apt-${suite ?? mirror.suite}-${architecture}`;
    for (const folder of ["lists/partial", "cache/archives/partial", "debs"]) {
      await Deno.mkdir(`${state}/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(`${state}/status`, "");
    const { uri, component, keyring } = mirror;
    await Deno.writeTextFile(
      `${state}/sources.list`,
      `deb [signed-by=${keyring}] ${uri} ${suite ?? mirror.suite} ${component}\n`,
    );
    const options = {
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Sandbox::User": "root",
      "Acquire::Retries": "3",
      "Dir::Cache": `${state}/cache`,
      "Dir::Etc::sourcelist": `${state}/sources.list`,
      "Dir::Etc::sourceparts": "-",
      "Dir::State::lists": `${state}/lists`,
      "Dir::State::status": `${state}/status`,
    };
    const flags = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
    try {
      await exec("apt-get", ["-q", ...flags, "update"]);
    } catch (error) {
      await Deno.remove(state, { recursive: true });
      throw error;
    }
    return new DebianArchive(state, flags);
  }

  /** The first package that one depends on: what a name without a version stands for at the moment. */
  async firstDependency(name: string): Promise<string> {
    const text = await exec("apt-cache", [...this.#flags, "depends", name]);
    const found = /^ *Depends: ([^<\s]+)$/m.exec(text)?.[1];
    if (found === undefined) throw new Error(`Cannot find what package "${name}" stands for: ${text.trim()}`);
    return found;
  }

  /** Downloads packages without their dependencies and unpacks them into `folder`. */
  async unpack(names: readonly string[], folder: string): Promise<void> {
    const debs = `${this.#state}/debs`;
    await exec("apt-get", ["-q", ...this.#flags, "download", ...names], { cwd: debs });
    for (const { name } of Deno.readDirSync(debs)) {
      await exec("dpkg-deb", ["-x", `${debs}/${name}`, folder]);
      await Deno.remove(`${debs}/${name}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#state, { recursive: true });
  }
}

/** Where this machine got its libc from, and the keys that its archive is signed with. */
export async function debianMirror(): Promise<
  { uri: string; suite: string; component: string; keyring: string }
> {
  const policy = await exec("apt-cache", ["policy", "libc6"]);
  // The release itself, not its updates: bookworm-security has only what was mended.
  const [, uri, suite, component] = /^\s+\d+ (\S+:\/\/\S+) ([^\s/-]+)\/(\S+) \S+ Packages$/m.exec(policy) ??
    [];
  if (uri === undefined || suite === undefined || component === undefined) {
    throw new Error(`Cannot find Debian's mirror: "apt-cache policy libc6" names none; run "apt-get update"`);
  }
  return { uri, suite, component, keyring: "/usr/share/keyrings/debian-archive-keyring.gpg" };
}
