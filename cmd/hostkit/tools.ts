/** Every tool of the packed file; a test compares the list with the folders. @module */
import { type Command, command } from "../../lib/cli/mod.ts";

/** A tool: what its command line is, and its run on the words of one. */
export interface Tool {
  readonly tree: Command;
  /** Returns the exit code. */
  main(words: readonly string[]): Promise<number>;
}

/** Loaded one by one: a tool never pays for the imports of another. */
export const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  "bpm-tui": async () => {
    const { bpmTui, main } = await import("../bpm-tui/main.ts");
    return { tree: bpmTui, main };
  },
  bpm: async () => {
    const { bpm, main } = await import("../bpm/main.ts");
    return { tree: bpm, main };
  },
  "ichimi-server": async () => {
    const { ichimiServer, main } = await import("../ichimi-server/main.ts");
    return { tree: ichimiServer, main };
  },
  "nix-btm": async () => {
    const { nixBtm, main } = await import("../nix-btm/main.ts");
    return { tree: nixBtm, main };
  },
  rezolus: async () => {
    const { rezolus, main } = await import("../rezolus/main.ts");
    return { tree: rezolus, main };
  },
};

/** The command line of the file itself: each tool is a command. */
export async function hostkitTree(): Promise<Command> {
  const tools = await Promise.all(Object.values(TOOLS).map((load) => load()));
  return command({
    name: "hostkit",
    summary: "tools for the people who run Linux hosts, in one file",
    description:
      "Called through a link that has a tool's name it is that tool. The runtime and what it needs are " +
      "unpacked once into the first folder that will do: $HOSTKIT_CACHE_DIR, $XDG_CACHE_HOME/hostkit, " +
      "$HOME/.cache/hostkit, $RUNTIME_DIRECTORY, /run/hostkit, /var/tmp, /dev/shm. " +
      "Where glibc's loader is not in its usual place, as on NixOS, one that works is looked for once; " +
      "$HOSTKIT_LOADER names one, $HOSTKIT_LIBRARY_PATH folders of libraries for it. " +
      "hostkit --licenses prints the notices of what is inside.",
    commands: tools.map(({ tree }) => tree),
    examples: [
      ["hostkit rezolus agent", "A tool by its name"],
      ["ln -s hostkit rezolus && ./rezolus agent", "A tool through a link"],
    ],
  });
}
