/** Compression of answers, by what the client accepts. @module */
import type { MiddlewareHandler } from "hono";
import { compress } from "hono/compress";

/** Answers shorter than this are not worth it. */
export const COMPRESS_FROM_BYTES = 4_096;

/**
 * Compresses text answers with gzip or deflate. Binary columns stay as they are: their low bits hardly shrink, and a
 * loopback is faster than any compressor.
 */
export function compressText(): MiddlewareHandler {
  return compress({ threshold: COMPRESS_FROM_BYTES });
}
