/** As much of HTTP/1.1 as the proxy understands: heads, framing, ends of bodies, what is refused. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  BodyScanner,
  firstWords,
  type Framing,
  headEnd,
  ownAnswer,
  parseRequest,
  parseResponse,
  requestBytes,
  responseBytes,
} from "../../lib/swap/http1.ts";

import { fuzzCount, mutate } from "../fuzz.ts";
import { seededRandom, testSeed } from "../metrics/seeded.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (from: Uint8Array) => new TextDecoder().decode(from);
const request = (...lines: string[]) => parseRequest(bytes(`${lines.join("\r\n")}\r\n\r\n`));
const response = (method: string, ...lines: string[]) =>
  parseResponse(bytes(`${lines.join("\r\n")}\r\n\r\n`), method);

Deno.test("a head ends behind its first empty line, wherever the bytes were parted", () => {
  const whole = bytes("GET / HTTP/1.1\r\nA: b\r\n\r\nrest\r\n\r\n");
  const end = text(whole).indexOf("rest");
  for (let cut = 0; cut < end; cut++) {
    strictEqual(headEnd(whole.subarray(0, cut)), -1);
    strictEqual(headEnd(whole, cut - 3), end);
  }
  strictEqual(headEnd(bytes("a\n\nb\r\n\n")), -1);
});

Deno.test("the first bytes of a connection tell what it speaks, as soon as they can", () => {
  const cases: [string, ReturnType<typeof firstWords>][] = [
    ["", undefined],
    ["G", "http1"],
    ["PUT /", "http1"],
    ["PR", undefined],
    ["PROPFIND", "http1"],
    ["PRI * HTTP/2.0\r", undefined],
    ["PRI * HTTP/2.0\r\n\r\nSM", "other"],
    ["\x16\x03\x01", "other"],
    ["\r\n", "other"],
  ];
  for (const [sent, expected] of cases) strictEqual(firstWords(bytes(sent)), expected, JSON.stringify(sent));
});

const REQUESTS: [string, string[], Framing["kind"], boolean, boolean][] = [
  ["nothing said", ["GET / HTTP/1.1"], "none", true, false],
  ["a client that closes", ["GET / HTTP/1.1", "Connection: foo, Close"], "none", false, false],
  ["an old client", ["GET / HTTP/1.0"], "none", false, false],
  ["an old client that goes on", ["GET / HTTP/1.0", "connection: keep-alive"], "none", true, false],
  [
    "a body of known length",
    ["POST / HTTP/1.1", "Content-Length: 3", "content-length:  3 "],
    "length",
    true,
    false,
  ],
  ["an empty body", ["POST / HTTP/1.1", "Content-Length: 0"], "none", true, false],
  ["a body in chunks", ["POST / HTTP/1.1", "Transfer-Encoding: Chunked"], "chunked", true, false],
  [
    "an upgrade",
    ["GET / HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: websocket"],
    "none",
    true,
    true,
  ],
  ["an upgrade that is not asked for", ["GET / HTTP/1.1", "Upgrade: websocket"], "none", true, false],
];
for (const [name, lines, kind, keepAlive, upgrade] of REQUESTS) {
  Deno.test(`parseRequest(): ${name}`, () => {
    const head = request(...lines);
    deepStrictEqual([head.framing.kind, head.keepAlive, head.upgrade], [kind, keepAlive, upgrade]);
  });
}

const REFUSED: [string, string[], RegExp][] = [
  ["no request line", ["hello"], /its first line is "hello"/],
  ["another version", ["GET / HTTP/2.0"], /first line/],
  ["a method with odd letters", ["G@T / HTTP/1.1"], /first line/],
  ["two lengths", ["POST / HTTP/1.1", "Content-Length: 3", "Content-Length: 4"], /its length is "4"/],
  ["a list of lengths", ["POST / HTTP/1.1", "Content-Length: 3, 3"], /its length is "3, 3"/],
  ["a signed length", ["POST / HTTP/1.1", "Content-Length: +3"], /its length is/],
  [
    "a length too large for anybody",
    ["POST / HTTP/1.1", "Content-Length: 9999999999999999"],
    /its length is/,
  ],
  [
    "a length and chunks",
    ["POST / HTTP/1.1", "Content-Length: 3", "Transfer-Encoding: chunked"],
    /a length and/,
  ],
  ["an unknown coding", ["POST / HTTP/1.1", "Transfer-Encoding: gzip, chunked"], /coding is "gzip, chunked"/],
  [
    "chunks twice",
    ["POST / HTTP/1.1", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    /chunked, chunked/,
  ],
  // Servers take them for a coding of that name, and a body for the next request.
  ["chunks behind a vertical tab", ["POST / HTTP/1.1", "Transfer-Encoding: \x0bchunked"], /coding is/],
  ["chunks before a hard space", ["POST / HTTP/1.1", "Transfer-Encoding: chunked\xa0"], /coding is/],
  ["a length behind a hard space", ["POST / HTTP/1.1", "Content-Length: \xa03"], /its length is/],
  ["chunks of an old client", ["POST / HTTP/1.0", "Transfer-Encoding: chunked"], /coding/],
  ["a space before the colon", ["GET / HTTP/1.1", "Content-Length : 3"], /a field is "Content-Length : 3"/],
  ["a continued line", ["GET / HTTP/1.1", "A: b", " c: d"], /a field is " c: d"/],
  ["a line without a colon", ["GET / HTTP/1.1", "nonsense"], /a field is "nonsense"/],
  ["a bare newline", ["GET / HTTP/1.1", "A: b\nContent-Length: 3"], /a field is/],
];
for (const [name, lines, expected] of REFUSED) {
  Deno.test(`parseRequest() refuses ${name}`, () => throws(() => request(...lines), expected));
}

const RESPONSES: [string, string, string[], Framing["kind"], boolean][] = [
  ["a length", "GET", ["HTTP/1.1 200 OK", "Content-Length: 3"], "length", true],
  ["chunks", "GET", ["HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"], "chunked", true],
  [
    "a coding that only ends like chunks",
    "GET",
    ["HTTP/1.1 200 OK", "Transfer-Encoding: xchunked"],
    "close",
    false,
  ],
  ["nothing said of the end", "GET", ["HTTP/1.1 200"], "close", false],
  ["the answer to HEAD", "HEAD", ["HTTP/1.1 200 OK", "Content-Length: 3"], "none", true],
  ["not modified", "GET", ["HTTP/1.1 304 Not Modified", "Content-Length: 3"], "none", true],
  ["no content", "GET", ["HTTP/1.1 204 No Content"], "none", true],
  ["an old server", "GET", ["HTTP/1.0 200 OK", "Content-Length: 3"], "length", false],
  [
    "a server that closes",
    "GET",
    ["HTTP/1.1 200 OK", "Content-Length: 3", "Connection: close"],
    "length",
    false,
  ],
];
for (const [name, method, lines, kind, keepAlive] of RESPONSES) {
  Deno.test(`parseResponse(): ${name}`, () => {
    const head = response(method, ...lines);
    deepStrictEqual([head.framing.kind, head.keepAlive], [kind, keepAlive]);
  });
}

Deno.test("an answer that is none is refused", () => {
  throws(() => response("GET", "hello"), /Cannot read answer: its first line is "hello"/);
  throws(() => response("GET", "HTTP/1.1 20 OK"), SyntaxError);
  throws(() => response("GET", "HTTP/1.1 200 OK", "x".repeat(200)), /a field is "x{80}…"/);
});

Deno.test("what is passed on is what came, without what is said of one connection only", () => {
  const lines = ["GET /é HTTP/1.1", "Host: a", "Connection: close", "X-Ü: ü", "Keep-Alive: 3"];
  const head = request(...lines.filter((line) => !line.startsWith("X-")));
  strictEqual(text(requestBytes(head)), text(bytes("GET /é HTTP/1.1\r\nHost: a\r\n\r\n")));
  const answer = response("GET", "HTTP/1.0 200 Fine", "Content-Length: 0", "Connection: close", "A: ü");
  strictEqual(
    text(responseBytes(answer, undefined)),
    "HTTP/1.1 200 Fine\r\nContent-Length: 0\r\nA: ü\r\n\r\n",
  );
  strictEqual(text(responseBytes(answer, "close")).includes("\r\nConnection: close\r\n\r\n"), true);
  const every = Uint8Array.from([
    ...bytes("GET /"),
    ...Array.from({ length: 95 }, (_, at) => at + 161),
    ...bytes(" HTTP/1.1\r\nA: "),
  ]);
  const odd = Uint8Array.from([
    ...every,
    ...Array.from({ length: 128 }, (_, at) => at + 128),
    ...bytes("\r\n\r\n"),
  ]);
  deepStrictEqual([...requestBytes(parseRequest(odd))], [...odd]);
  const upgrade = request("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: x");
  strictEqual(text(requestBytes(upgrade)), "GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  const own = text(ownAnswer(503, "wait"));
  strictEqual(own.startsWith("HTTP/1.1 503 Service Unavailable\r\n") && own.endsWith("\r\n\r\nwait\n"), true);
});

Deno.test("the end of a body is found wherever the bytes are parted", () => {
  const bodies: [Framing, string][] = [
    [{ kind: "none" }, ""],
    [{ kind: "length", bytes: 5 }, "hello"],
    [{ kind: "chunked" }, "0\r\n\r\n"],
    [
      { kind: "chunked" },
      '5\r\nhello\r\n1a; ext="x"\r\nabcdefghijklmnopqrstuvwxyz\r\n000\r\nTrailer: x\r\n\r\n',
    ],
  ];
  for (const [framing, body] of bodies) {
    const whole = bytes(`${body}GET / HTTP/1.1`);
    for (let cut = 0; cut <= whole.length; cut++) {
      const scanner = new BodyScanner(framing);
      let taken = scanner.take(whole.subarray(0, cut));
      if (taken === cut) taken += scanner.take(whole.subarray(cut));
      deepStrictEqual([taken, scanner.done, scanner.endsWithConnection], [body.length, true, false]);
    }
  }
  const open = new BodyScanner({ kind: "close" });
  deepStrictEqual([open.take(bytes("abc")), open.done, open.endsWithConnection], [3, false, true]);
});

Deno.test("chunks that are none are refused", () => {
  for (
    const wrong of [
      "x\r\n",
      "\r\n",
      "-1\r\n",
      "1\r\nab\r\n",
      "5 5\r\n",
      "1\n",
      "1234567890123\r\n",
      "0".repeat(20_000),
    ]
  ) {
    throws(() => new BodyScanner({ kind: "chunked" }).take(bytes(wrong)), SyntaxError, wrong.slice(0, 20));
  }
});

Deno.test("mutated heads and chunks are read or refused by name, and what was read is read alike again", () => {
  const seed = testSeed();
  const random = seededRandom(seed);
  const good = bytes(
    "POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5;x\r\nhello\r\n0\r\n\r\n",
  );
  for (let round = fuzzCount(20_000); round > 0; round--) {
    const message = mutate(good, random);
    const end = headEnd(message);
    if (end < 0) continue;
    try {
      const head = parseRequest(message.subarray(0, end));
      const again = parseRequest(requestBytes(head));
      deepStrictEqual(
        [again.method, again.target, again.framing],
        [head.method, head.target, head.framing],
        `seed ${seed}`,
      );
      const body = message.subarray(end);
      const whole = new BodyScanner(head.framing);
      const parted = new BodyScanner(head.framing);
      const cut = random.below(body.length + 1);
      const taken = whole.take(body);
      let total = parted.take(body.subarray(0, cut));
      if (total === cut) total += parted.take(body.subarray(cut));
      deepStrictEqual([total, parted.done], [taken, whole.done], `seed ${seed}`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
});
