/** Values of a process's settings that are written as text. Pure. @module */

/** Soft and hard limit of `4096`, `1024:4096` and `unlimited`; undefined when it is none. */
export function rlimitOf(text: string): { readonly soft: number; readonly hard: number } | undefined {
  const [soft, hard = soft, ...more] = text.split(":").map((each) => {
    return each === "unlimited" ? Infinity : /^\d+$/.test(each) ? Number(each) : undefined;
  });
  return soft === undefined || hard === undefined || soft > hard || more.length > 0
    ? undefined
    : { soft, hard };
}

/** Address of `HOST:PORT`, `[::1]:PORT` or `:PORT`, which is of 127.0.0.1; undefined when it is none. */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, "") || "127.0.0.1", port: Number(port) };
}
