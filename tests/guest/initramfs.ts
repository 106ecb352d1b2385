/** An initramfs of a folder, in the kernel's "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst). */

/** Writes the folder's files, folders and links to `output`, uncompressed. All belong to root. */
export function writeInitramfs(folder: string, output: string): void {
  using file = Deno.openSync(output, { write: true, create: true, truncate: true });
  const write = (bytes: Uint8Array) => {
    for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
  };
  let inode = 0;
  const entry = (name: string, mode: number, data: Uint8Array) => {
    const fields = [++inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = "070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    write(padded(new TextEncoder().encode(`${header}${name}\0`)));
    write(padded(data));
  };
  const below = (path: string) => {
    for (const { name } of Deno.readDirSync(`${folder}/${path}`)) {
      const inside = path === "" ? name : `${path}/${name}`;
      const full = `${folder}/${inside}`;
      const { isDirectory, isSymlink, mode } = Deno.lstatSync(full);
      const permissions = mode! & 0o7777;
      if (isDirectory) {
        entry(inside, DIRECTORY | permissions, EMPTY);
        below(inside);
      } else if (isSymlink) entry(inside, LINK | 0o777, new TextEncoder().encode(Deno.readLinkSync(full)));
      else entry(inside, REGULAR | permissions, Deno.readFileSync(full));
    }
  };
  below("");
  entry("TRAILER!!!", 0, EMPTY);
}

const DIRECTORY = 0o040000;
const REGULAR = 0o100000;
const LINK = 0o120000;
const EMPTY = new Uint8Array();

/** Headers with their names, and data, end at a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array((bytes.length + 3) & ~3);
  result.set(bytes);
  return result;
}
