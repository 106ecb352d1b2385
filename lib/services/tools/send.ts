/** `send`: input for a process. @module */
import { boolean, defineTool, integer, object, optional, string, ToolError } from "../../mcp/mod.ts";
import { orToolError, processName, type ToolMaker } from "./tool.ts";

/** A terminal larger than any screen is a mistake. */
const CELLS = { minimum: 1, maximum: 10_000 };
/** More belongs into a file. */
const INPUT_CHARS = 65_536;

export const send: ToolMaker = (host) =>
  defineTool({
    name: "send",
    description: "Sends text to the standard input of a process with stdin or a terminal",
    annotations: { destructiveHint: true, openWorldHint: false },
    input: object({
      process: processName,
      text: string({ description: "What is sent; a newline only where it has one", maxLength: INPUT_CHARS }),
      end: optional(boolean({ description: "Closes the input after it" })),
      window: optional(
        object({ rows: integer(CELLS), columns: integer(CELLS) }, {
          description: "Size that its terminal has from now on, where it has one",
        }),
      ),
    }),
    output: object({ process: string(), characters: integer(), ended: boolean() }),
    async run({ process, text, end, window }) {
      const service = await orToolError(() => host.service(process));
      const { current, spec } = service;
      if (current === undefined) {
        throw new ToolError(`Process '${process}' does not run: it is ${service.state.kind}`);
      }
      if ((spec.keeper?.stdin ?? "null") === "null") {
        throw new ToolError(
          `Process '${process}' takes no input: ${host.inputAdvice(process)}`,
        );
      }
      const taken = await current.control(async (keeper) => {
        if (window !== undefined) await keeper.window(window.rows, window.columns);
        await keeper.input(new TextEncoder().encode(text));
        if (end === true) await keeper.endInput();
      });
      if (!taken) throw new ToolError(`Process '${process}' has just ended`);
      return {
        text: `Sent ${text.length} ${text.length === 1 ? "character" : "characters"} to '${process}'`,
        structured: { process, characters: text.length, ended: end === true },
      };
    },
  });
