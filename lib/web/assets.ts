/**
 * Serves the files that a tool carries with it. They are read once and kept; with an override folder they are read at
 * each request, so that a rebuilt page shows at the next reload.
 * @module
 */
import { assetPath } from "../../ffi/assets.ts";

/** Where assets come from. */
export interface AssetOptions {
  /** A folder that is looked at first, and at each request (`--assets DIR`). */
  readonly overrideDir?: string;
}

interface Asset {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

const kept = new Map<string, Promise<Asset>>();

/** The media type of a file by its name's ending. */
export function contentType(name: string): string {
  return TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
}

/**
 * Answers a request for the asset `name` (for example `web/viewer.js`), with 304 when the client has it.
 * @throws {Deno.errors.NotFound} When there is no such asset.
 */
export async function serveAsset(
  request: Request,
  name: string,
  options: AssetOptions = {},
): Promise<Response> {
  const asset = await find(name, options);
  const headers = { etag: asset.etag, "cache-control": "no-cache", "content-type": contentType(name) };
  const known = request.headers.get("if-none-match")?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known?.includes(asset.etag)) return new Response(null, { status: 304, headers });
  return new Response(asset.body, { headers });
}

async function find(name: string, options: AssetOptions): Promise<Asset> {
  if (options.overrideDir !== undefined) {
    try {
      return await read(`${options.overrideDir}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Not overridden: the tool's own.
    }
  }
  const path = assetPath(name);
  const found = kept.get(path) ?? read(path);
  kept.set(path, found);
  found.catch(() => kept.delete(path));
  return await found;
}

async function read(path: string): Promise<Asset> {
  const body = await Deno.readFile(path);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body)).subarray(0, 12);
  return { body, etag: `"${digest.toHex()}"` };
}
