/**
 * What every HTTP server of the toolkit shares: a listener on TCP or on a unix socket, a guard against browsers of
 * other sites, embedded assets with an override folder, and errors as HTTP statuses.
 *
 * Reading order: `address.ts` (what can be listened on), `listen.ts` (bind, serve, close), `acceptor.ts` and
 * `listen_on.ts` (the same on a socket that is held open), `guard.ts` (Host and Origin), `token.ts`, `once.ts` (for clients), `assets.ts` (files with ETag),
 * `compress.ts`, `errors.ts`. Routes, tokens and page contents belong to the features.
 * @module
 */
export { type Address, DEFAULT_HOST, formatAddress, parseAddress } from "./address.ts";
export { isSocketTaken, listen, type Server } from "./listen.ts";
export { Acceptor } from "./acceptor.ts";
export { listenOn } from "./listen_on.ts";
export { guardBrowsers, isLoopbackName } from "./guard.ts";
export { type AssetOptions, contentType, serveAsset } from "./assets.ts";
export { COMPRESS_FROM_BYTES, compressText } from "./compress.ts";
export { onceClient } from "./once.ts";
export { bearerToken, isSameToken } from "./token.ts";
export { errorResponse, HttpError, statusOf } from "./errors.ts";
