/** Procfiles: a name and a command line for a shell each, with `.env` beside and a port for each. Pure. @module */
import { parseEnvFile } from "../../services/mod.ts";
import { folderOf, type Found, type FoundProcess, joinPath, type ProjectFolder } from "./found.ts";
import { commandOf } from "./shell.ts";

/** PORT of the first process; each further one has so much more, as foreman and overmind count. */
const FIRST_PORT = 5_000;
const PORT_STEP = 100;

const LINE = /^([A-Za-z0-9_-]+):\s*(\S.*)$/;

/** Processes of a Procfile. @throws {SyntaxError} Naming the line, when `.env` cannot be read. */
export function readProcfile(folder: ProjectFolder, file: string): Found {
  const text = folder.read(file) ?? "";
  const envPath = joinPath(folderOf(file), ".env");
  const envText = folder.read(envPath);
  const env = envText === undefined ? {} : parseEnvFile(envText, envPath);
  const firstPort = Number(env.PORT ?? FIRST_PORT);
  const notes: string[] = [];
  const processes: FoundProcess[] = [];
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, name, command] = LINE.exec(line) ?? [];
    if (name === undefined || command === undefined) {
      notes.push(`line ${at + 1} is no "name: command" and is left out: ${line}`);
      continue;
    }
    const port = Number.isInteger(firstPort) ? firstPort + PORT_STEP * processes.length : undefined;
    processes.push(
      processOf({ name, command, port, file, envFile: envText === undefined ? undefined : envPath }),
    );
  }
  return { file, kind: "procfile", processes, notes };
}

interface Line {
  readonly name: string;
  readonly command: string;
  readonly port: number | undefined;
  readonly file: string;
  readonly envFile: string | undefined;
}

function processOf({ name, command, port, file, envFile }: Line): FoundProcess {
  const folder = folderOf(file);
  const about = `Line "${name}" of ${file}.`;
  const where = folder === "." ? {} : { cwd: folder };
  const isWeb = port !== undefined && (name === "web" || /\$\{?PORT\b/.test(command));
  const keys = {
    command: commandOf(command),
    ...where,
    ...(port === undefined ? {} : { env: { PORT: String(port) } }),
    ...(envFile === undefined ? {} : { env_file: [envFile] }),
  };
  if (name === "release") {
    return {
      name,
      about: `${about} It is what a deployment runs once; here it is started when you ask for it.`,
      keys: { ...keys, restart: "never", autostart: false },
      notes: [],
    };
  }
  if (!isWeb) return { name, about, keys, notes: [] };
  return {
    name,
    about,
    keys: { ...keys, env: undefined, port, url: `http://127.0.0.1:${port}` },
    notes: [],
    suggestions: [{
      keys: { listen: `127.0.0.1:${port}` },
      why: "With this in place of port, bpm holds it itself, and a restart loses no request.",
    }],
  };
}
