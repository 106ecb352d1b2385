/** Small files of the kernel, and lists of CPUs in them. @module */
export { Procfs } from "../procfs/mod.ts";

/** CPUs of a list such as `0-3,8`, ascending. @throws {SyntaxError} When it is none. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    if (part === "") continue;
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined) throw new SyntaxError(`Cannot parse CPU list: "${part}" in "${text.trim()}"`);
    for (let cpu = Number(first); cpu <= Number(last ?? first); cpu++) cpus.push(cpu);
  }
  return cpus;
}
