/** Requests that are sent once. @module */

/**
 * A client for `fetch` that sends no request twice. The runtime's own one (2.9.6) sends a request again, also a POST, when a
 * kept connection ends before the answer, although the server may have done already what was asked for: here each request
 * has a connection of its own. The caller closes it.
 */
export function onceClient(options: { readonly socket?: string } = {}): Deno.HttpClient {
  const { socket } = options;
  return Deno.createHttpClient({
    poolMaxIdlePerHost: 0,
    ...socket === undefined ? {} : { proxy: { transport: "unix", path: socket } },
  });
}
