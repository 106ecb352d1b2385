/** What `nix-btm run` does, without a view: the standard error of the command goes to a file. @module */
import {
  contextHere,
  endAlike,
  exitCode,
  fileSink,
  readPipe,
  runWrapped,
  type Words,
  wrapCommand,
} from "../../lib/nix_btm/wrap/mod.ts";

const [path, ...words] = Deno.args;
const file = fileSink(path!);
const ended = words.length === 0
  ? await readPipe(Deno.stdin.readable, { sinks: [file.take] })
  : await runWrapped(wrapCommand(words as unknown as Words, contextHere()), { sinks: [file.take] });
if (ended.kind === "notStarted") console.error(ended.reason);
endAlike(ended);
Deno.exit(exitCode(ended));
