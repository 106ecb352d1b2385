/** A program that shows what the terminal tells, and ends in every way there is; run by `terminal_test.ts`. */
import { runProgram, Terminal, type TerminalEvent } from "../../lib/tui/mod.ts";

interface Echo {
  readonly rows: readonly string[];
  readonly ended: boolean;
}

async function main(): Promise<void> {
  using screen = Terminal.open(Deno.env.toObject());
  await runProgram<Echo, never, "throw" | "reject" | "exit" | "mouse" | undefined>({
    model: { rows: [`colours ${screen.depth}`], ended: false },
    update: (model, event) => {
      const rows = [...model.rows, textOf(event)].slice(-8);
      if (event.kind !== "key") return [{ ...model, rows }, []];
      if (event.name === "ctrl+v") throw new RangeError("a bug in update");
      const effect =
        ({ "ctrl+t": "throw", "ctrl+r": "reject", "ctrl+x": "exit", "ctrl+o": "mouse" } as const)[event.name];
      return [{ rows, ended: event.name === "ctrl+q" }, [effect]];
    },
    view: ({ rows }, frame) => rows.forEach((row, y) => frame.area().put(0, y, row)),
    ended: ({ ended }) => ended,
    perform: (effect) => {
      if (effect === "throw") {
        setTimeout(() => {
          throw new Error("thrown beside");
        });
      }
      if (effect === "reject") Promise.reject(new Error("rejected beside"));
      if (effect === "exit") Deno.exit(7);
      if (effect === "mouse") screen.mouse(false);
    },
  }, { screen, signal: new AbortController().signal });
}

function textOf(event: TerminalEvent): string {
  switch (event.kind) {
    case "key":
      return `key ${event.name}`;
    case "paste":
      return `paste ${JSON.stringify(event.text)}`;
    case "mouse":
      return `mouse ${event.action} ${event.button} ${event.x},${event.y}`;
    case "resize":
      return `size ${event.width}x${event.height}`;
    default:
      return event.kind;
  }
}

await main();
// The read that waits for the next key cannot be called off.
Deno.exit(0);
