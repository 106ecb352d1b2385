/** Short names of stores and machines. Pure. @module */

/** What this machine is called. */
export const HERE = "here";

/**
 * The shortest names that tell these stores apart: `builder1` of `ssh-ng://nix@builder1.example.org`, `cache` of
 * `https://cache.nixos.org`; more of a name, at last all of it, where two would be called the same.
 */
export function handlesOf(hosts: Iterable<string>): ReadonlyMap<string, string> {
  const handles = new Map<string, string>();
  let open = [...new Set(hosts)];
  for (let size = 1; open.length > 0; size++) {
    const called = new Map<string, string[]>();
    for (const host of open) {
      const name = nameOf(host, size);
      called.set(name, [...called.get(name) ?? [], host]);
    }
    const taken = new Set(handles.values());
    const left: string[] = [];
    for (const [name, [host, ...others]] of called) {
      if (others.length === 0 && !taken.has(name) || name === host) handles.set(host!, name);
      else left.push(host!, ...others);
    }
    open = left;
  }
  return handles;
}

/** The first parts of a host's name; all there is when it has no more of them. */
function nameOf(host: string, size: number): string {
  if (host === "") return HERE;
  const [, name = "", rest = ""] = /^[\w+.-]+:\/\/(?:[^@/]*@)?([^/?:]*)(.*)$/.exec(host) ?? [];
  if (name === "") {
    const parts = host.replace(/^[\w+.-]+:\/\//, "").replace(/\?.*$/, "").split("/").filter((part) =>
      part !== ""
    );
    return size > parts.length ? host : parts.slice(-size).join("/");
  }
  const labels = /^[\d.]+$/.test(name) ? [name] : name.split(".");
  if (size <= labels.length) return labels.slice(0, size).join(".");
  return size === labels.length + 1 ? name + rest : host;
}
