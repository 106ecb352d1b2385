/** Which files of a project tell of processes, and who reads them. Pure. @module */
import { readCargoToml } from "./cargo_toml.ts";
import { COMPOSE_FILES, readCompose } from "./compose.ts";
import { type Found, joinPath, type ProjectFolder } from "./found.ts";
import { isTable } from "./keys.ts";
import { readPackageJson } from "./package_json.ts";
import { readProcessCompose } from "./process_compose.ts";
import { readProcfile } from "./procfile.ts";
import { readYaml } from "./yaml.ts";

interface Source {
  /** Names of its file, the one that is preferred first. */
  readonly files: readonly string[];
  /** Whether a file of another name is one, to judge by its name. */
  readonly name: RegExp;
  read(folder: ProjectFolder, file: string): Found | Promise<Found>;
}

/** In the order of their weight: what says how processes are run before what only tells what could be. */
const SOURCES: readonly Source[] = [
  {
    files: ["process-compose.yaml", "process-compose.yml"],
    name: /process-compose[^/]*\.ya?ml$/,
    read: readProcessCompose,
  },
  { files: ["Procfile.dev", "Procfile"], name: /(?:^|\/)Procfile[^/]*$|\.procfile$/i, read: readProcfile },
  { files: ["Cargo.toml"], name: /(?:^|\/)Cargo\.toml$/, read: readCargoToml },
  { files: ["package.json"], name: /(?:^|\/)package\.json$/, read: readPackageJson },
  { files: COMPOSE_FILES, name: /\.ya?ml$/, read: readComposeOfAnyKind },
];

/** Every name of a file that is looked for. */
export const SOURCE_FILES: readonly string[] = SOURCES.flatMap(({ files }) => files);

/** What the files of a folder say: those given, or all that are known. @throws {Error} Naming the file. */
export async function findProcesses(folder: ProjectFolder, files: readonly string[] = []): Promise<Found[]> {
  const found: Found[] = [];
  for (
    const { file, source, others } of files.length > 0
      ? files.map((each) => given(folder, each))
      : known(folder)
  ) {
    const each = await source.read(folder, file);
    const notes = others.map((other) => `it is taken instead of ${other}; name that with "--from"`);
    found.push({ ...each, notes: [...notes, ...each.notes] });
  }
  return found;
}

interface Chosen {
  readonly file: string;
  readonly source: Source;
  /** Of the same kind and not read. */
  readonly others: readonly string[];
}

function known(folder: ProjectFolder): Chosen[] {
  return SOURCES.flatMap((source) => {
    const [file, ...others] = source.files.filter((each) => folder.read(each) !== undefined);
    return file === undefined ? [] : [{ file, source, others }];
  });
}

function given(folder: ProjectFolder, path: string): Chosen {
  const file = joinPath(".", path);
  const source = SOURCES.find(({ name }) => name.test(file));
  if (source === undefined) {
    throw new Error(`Cannot read ${path}: its name is none of ${SOURCE_FILES.join(", ")}, nor *.yaml`);
  }
  if (folder.read(file) === undefined) throw new Error(`Cannot read ${path}: there is no such file`);
  return { file, source, others: [] };
}

/** process-compose, too, reads a `compose.yaml`: what is in it tells whose it is. */
async function readComposeOfAnyKind(folder: ProjectFolder, file: string): Promise<Found> {
  const data = await readYaml(folder.read(file) ?? "", file);
  const isOther = isTable(data) && "processes" in data && !("services" in data);
  return await (isOther ? readProcessCompose : readCompose)(folder, file);
}
