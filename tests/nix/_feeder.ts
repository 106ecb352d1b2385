/**
 * Runs a command of Nix and does what Nix does by itself since 2.30 with `json-log-path`: connects to the unix socket at
 * the start, writes each record on a line without `@nix `, waits when nobody reads, and goes on without it when the socket
 * is not there or breaks. `deno run _feeder.ts SOCKET PROGRAM ARGS…`; standard error is passed on as it is.
 * @module
 */
const [path, program, ...args] = Deno.args;
let connection: Deno.Conn | undefined = await Deno.connect({ transport: "unix", path: path! }).catch(warn);
const child = new Deno.Command(program!, { args, stdin: "null", stdout: "inherit", stderr: "piped" }).spawn();
const encoder = new TextEncoder();
let rest = "";
for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
  await Deno.stderr.write(encoder.encode(text));
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  const records = lines.flatMap((line) => line.startsWith("@nix ") ? [`${line.slice(5)}\n`] : []);
  await write(encoder.encode(records.join("")));
}
const { code } = await child.status;
connection?.close();
Deno.exit(code);

async function write(bytes: Uint8Array): Promise<void> {
  try {
    for (let at = 0; connection !== undefined && at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
  } catch (error) {
    connection = warn(error);
  }
}

function warn(error: unknown): undefined {
  console.error(`warning: cannot log to ${path}: ${error}`);
}
