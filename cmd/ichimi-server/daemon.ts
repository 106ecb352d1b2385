/** `ichimi-server daemon`: has the processes of a user, for all assistants that work for them. @module */
import { command, option } from "../../lib/cli/mod.ts";
import { optionalText, toggle } from "../../lib/config/mod.ts";

export const daemon = command({
  name: "daemon",
  summary: "have the processes of this user, for all assistants",
  description:
    "Started by the first assistant that needs it, or by systemd. Processes go on when it is killed, and the next one has " +
    "them back, with their logs and exit codes; asked to end it stops them first. SIGHUP makes it become the program " +
    "that stands now where it stood, and nobody notices.",
  options: {
    config: option(
      optionalText({
        help: "File instead of ~/.config/hostkit/ichimi.toml.",
        example: "config/ichimi.toml",
      }),
      { value: "FILE", complete: "file" },
    ),
    assets: option(
      optionalText({
        help: "Serves files of the console from here first and reads them anew.",
        example: ".build/assets",
      }),
      { value: "DIR", complete: "directory" },
    ),
    background: option(
      toggle({
        help: "Writes its log to a file in its state folder, and ends when there is nothing to do.",
        fallback: false,
      }),
    ),
  },
  examples: [["ichimi-server daemon", "In the foreground"]],
  async run({ options, signal }) {
    const { serve } = await import("./serve.ts");
    return await serve(options, signal);
  },
});
