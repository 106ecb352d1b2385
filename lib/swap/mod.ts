/**
 * Restarts that lose no request: the socket outlives the program.
 *
 * Reading order: `rung.ts` (which way for which program; `elf.ts` reads how it is linked, pure), `port_holder.ts` (who
 * has a port already), `drain.ts` (the old program's last minutes; both look into `procfs.ts`), `http1.ts` (as much of
 * HTTP as a proxy has to understand, pure), `backend.ts`, `exchange.ts` and `client.ts` (connections to servers, one
 * request with its answer, connections of clients), `passage.ts` (connections that are not HTTP/1), `proxy.ts` (a proxy
 * whose server changes). Sockets are opened by `ffi/sockets`, held by keepers, and put into unmodified programs by
 * `ffi/interpose`; when a swap happens is left to others.
 * @module
 */
export { beginDrain, openConnections } from "./drain.ts";
export { chooseRung, type Rung, type SwapProgram } from "./rung.ts";
export { holderText, openPort, type PortHolder, portHolder } from "./port_holder.ts";
export type { Backend } from "./backend.ts";
export { Proxy, type ProxyFailure, type ProxyOptions, type ProxyStats } from "./proxy.ts";
