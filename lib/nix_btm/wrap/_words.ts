/** What is known of the command lines of Nix and of the tools around it. @module */

/** Programs that run another one: their own options that take a value. */
export const PREFIXES: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    "sudo",
    new Set("-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot".split(" ")),
  ],
  ["doas", new Set(["-u", "-C"])],
  ["env", new Set(["-u", "-C", "--unset", "--chdir"])],
  ["nice", new Set(["-n", "--adjustment"])],
  ["ionice", new Set(["-c", "-n", "-p", "--class", "--classdata"])],
  ["command", new Set<string>()],
]);

/** Sub-commands of `nix` that evaluate, fetch, copy or build; all take the options of their program. */
export const NIX_WORKS: ReadonlySet<string> = new Set([
  "build",
  "bundle",
  "copy",
  "derivation",
  "eval",
  "flake",
  "fmt",
  "formatter",
  "path-info",
  "print-dev-env",
  "profile",
  "run",
  "search",
  "store",
  "upgrade-nix",
  "why-depends",
]);

/** Of these, those that become what they have built. */
export const NIX_BECOMES: ReadonlySet<string> = new Set(["fmt", "formatter", "run"]);

/** Sub-commands of `nix` that build first and then are a program that wants the terminal. */
export const NIX_SHELLS: ReadonlySet<string> = new Set(["develop", "shell"]);

/** Sub-commands of `nix` that talk to a person or to another program: these get the terminal as it is. */
export const NIX_TALKS: ReadonlySet<string> = new Set([
  "__build-remote",
  "__dump-cli",
  "config",
  "daemon",
  "doctor",
  "edit",
  "env",
  "hash",
  "help",
  "help-stores",
  "key",
  "log",
  "nar",
  "realisation",
  "registry",
  "repl",
  "show-config",
]);

/** Options of `nix develop` that run a phase, which does not go together with a command; `--phase` takes a value. */
export const DEVELOP_PHASES: ReadonlySet<string> = new Set([
  "--build",
  "--check",
  "--configure",
  "--install",
  "--installcheck",
  "--unpack",
]);

/** Whether a call of a program does work, by the words for it. */
export type Works = (words: readonly string[]) => boolean;

/** Programs that take the options wherever they stand. */
export const PROGRAMS: ReadonlyMap<string, Works> = new Map<string, Works>([
  ["nix-build", () => true],
  ["nix-channel", () => false],
  ["nix-daemon", () => false],
  ["nix-hash", () => false],
  ["nix-prefetch-url", () => false],
  ["nix-collect-garbage", () => true],
  ["nix-copy-closure", () => true],
  ["nix-instantiate", (words) => !words.some((word) => /^--(parse|find-file)$/.test(word))],
  ["nix-store", (words) => words.some((word) => NIX_STORE_WORKS.has(word))],
  [
    "nix-env",
    (words) => words.some((word) => /^(-[a-zA-Z]*[iu][a-zA-Z]*|--install|--upgrade|--set)$/.test(word)),
  ],
]);

/** The others answer a question, or speak a protocol on their standard input and output. */
const NIX_STORE_WORKS: ReadonlySet<string> = new Set([
  "-r",
  "--realise",
  "--delete",
  "--gc",
  "--import",
  "--optimise",
  "--repair-path",
  "--verify",
  "--verify-path",
]);

/** A program that has others of Nix work for it: what its actions are, and what it understands itself. */
export interface Rebuilder {
  readonly actions: ReadonlySet<string>;
  /** `records`: passes `--log-format` on; `verbose`: `-v` alone; otherwise these words of its own. */
  readonly takes: "records" | "verbose" | readonly string[];
}

const SYSTEM_ACTIONS = new Set([
  "boot",
  "build",
  "build-image",
  "build-vm",
  "build-vm-with-bootloader",
  "dry-activate",
  "dry-build",
  "dry-run",
  "switch",
  "test",
]);

export const REBUILDERS: ReadonlyMap<string, Rebuilder> = new Map<string, Rebuilder>([
  // Since NixOS 23.11 (nixpkgs pull request 231683).
  ["nixos-rebuild", { actions: SYSTEM_ACTIONS, takes: "records" }],
  ["nixos-rebuild-ng", { actions: SYSTEM_ACTIONS, takes: "records" }],
  // Since 25.05 (home-manager pull request 6654).
  ["home-manager", { actions: new Set(["build", "switch", "test", "instantiate"]), takes: "records" }],
  // It ends with "unknown option" on --log-format; with -v Nix tells what it builds in words.
  ["darwin-rebuild", { actions: new Set(["build", "check", "switch"]), takes: "verbose" }],
  // It reads Nix' records itself when nom is there, and hands Nix' words on otherwise.
  ["nh", { actions: SYSTEM_ACTIONS, takes: ["--no-nom"] }],
]);
