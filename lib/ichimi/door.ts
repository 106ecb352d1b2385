/** What the daemon serves on loopback, to browsers and to programs that know its token. @module */
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { bearerToken, guardBrowsers, isSameToken } from "../web/mod.ts";

/** Routes that stand below a path. */
export interface Mounted {
  fetch(request: Request): Promise<Response> | Response;
}

/** How it is made. */
export interface DoorOptions {
  /** What everybody must show, as `Authorization: Bearer …`, or a browser once as `/?token=…`. */
  readonly token: string;
  /** By path, the longest first: whatever lies at it or below. */
  readonly mounts: Readonly<Record<string, Mounted>>;
}

/** Cookies are of a host, whatever the port: two users of one machine have two names. */
const COOKIE = "ichimi";
const YEAR_SECONDS = 31_536_000;

/** Routes that nobody gets past without the token. */
export function door({ token, mounts }: DoorOptions): Mounted {
  const app = new Hono();
  const name = `${COOKIE}-${Deno.uid() ?? 0}`;
  app.use(guardBrowsers());
  app.use(async (c, next) => {
    const given = c.req.query("token");
    if (c.req.path === "/" && given !== undefined && isSameToken(given, token)) {
      setCookie(c, name, token, { httpOnly: true, sameSite: "Strict", path: "/", maxAge: YEAR_SECONDS });
      return c.redirect("/");
    }
    const shown = bearerToken(c.req.raw.headers) ?? getCookie(c, name) ?? "";
    if (!isSameToken(shown, token)) return refused(c);
    await next();
  });
  const paths = Object.keys(mounts).sort((a, b) => b.length - a.length);
  app.all("*", (c) => {
    const path = paths.find((each) =>
      c.req.path === each || c.req.path.startsWith(each.replace(/\/?$/, "/"))
    );
    return path === undefined ? c.text("not found\n", 404) : mounts[path]!.fetch(c.req.raw);
  });
  return { fetch: (request) => app.fetch(request) };
}

function refused(c: Context): Response {
  const text = "A token is needed: ichimi-server console prints an address that has it.\n";
  const headers = { "www-authenticate": "Bearer" };
  return c.req.path.startsWith("/api/")
    ? c.json({ error: text.trim(), code: "no_token" }, 401, headers)
    : c.text(text, 401, headers);
}
