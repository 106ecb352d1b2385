/** What a registry offers beside tools: resources, prompts, questions; and what cannot be put into one. */
import { more } from "../more.ts";
import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { createRegistry, defineTool, object, type Prompt, type Question, string } from "../../lib/mcp/mod.ts";
import { AnswersNeeded, answersTo } from "../../lib/mcp/ask.ts";
import { callResult, toolListing } from "../../lib/mcp/wire.ts";
import { idOf, isRecord, readRequest } from "../../lib/mcp/json_rpc.ts";
import { boundUnread } from "../../lib/mcp/unread.ts";
import { everything, Resources } from "./everything/mod.ts";
import { connect, serve, stateless, statelessRequest } from "./serving.ts";

const tool = (name: string) =>
  defineTool({ name, description: "A tool", annotations: {}, run: () => ({ text: "" }) });

Deno.test("a tool's name and the kind of its input are checked", () => {
  for (const name of ["", "a b", "ä", "x".repeat(129)]) {
    throws(() => tool(name), /Cannot define tool ".*": a name is 1-128 of A-Z a-z 0-9 _ \. -/);
  }
  const input = string() as unknown as ReturnType<typeof object>;
  throws(
    () => defineTool({ name: "a", description: "", annotations: {}, input, run: () => ({ text: "" }) }),
    /its input is not the schema of an object/,
  );
});

Deno.test("two tools or two prompts of one name are refused", () => {
  throws(() => createRegistry({ tools: [tool("a"), tool("b"), tool("a")] }), /"a" is there twice/);
  const prompt: Prompt = { name: "p", messages: () => [] };
  throws(() => createRegistry({ prompts: [prompt, prompt] }), /"p" is there twice/);
  deepStrictEqual(createRegistry({}), { tools: [], resources: [], prompts: [] });
});

Deno.test("a result is text first, and nothing that was not said", () => {
  deepStrictEqual(callResult({ text: "" }), { content: [{ type: "text", text: "" }] });
  const image = { type: "image", data: "", mimeType: "image/png" } as const;
  deepStrictEqual(callResult({ text: "", content: [image] }), { content: [image] });
  deepStrictEqual(callResult({ text: "a", content: [image], structured: 1, isError: true }), {
    content: [{ type: "text", text: "a" }, image],
    structuredContent: 1,
    isError: true,
  });
});

Deno.test("old dialects are shown less of a tool", () => {
  const listed = defineTool({
    name: "a",
    title: "A",
    description: "d",
    annotations: { readOnlyHint: true },
    output: object({}),
    run: () => ({ text: "" }),
  });
  deepStrictEqual(Object.keys(toolListing(listed, "plain")), ["name", "description", "inputSchema"]);
  deepStrictEqual(Object.keys(toolListing(listed, "full")).sort(), [
    "annotations",
    "description",
    "inputSchema",
    "name",
    "outputSchema",
    "title",
  ]);
});

Deno.test("questions that are answered in part are asked in part", () => {
  const roots: Question = { method: "roots/list" };
  deepStrictEqual(answersTo({ a: roots }, { a: { roots: [] }, b: {} }), { a: { roots: [] } });
  throws(() => answersTo({ a: roots, b: roots }, { a: { roots: [] } }), (error: unknown) => {
    ok(error instanceof AnswersNeeded);
    deepStrictEqual([error.questions, error.answered], [{ b: roots }, { a: { roots: [] } }]);
    return /answers are needed: b/.test(error.message);
  });
});

Deno.test("a message of JSON-RPC is read, and its id found wherever it is one", () => {
  deepStrictEqual(readRequest({ jsonrpc: "2.0", method: "m" }), { method: "m", params: {} });
  deepStrictEqual(readRequest({ jsonrpc: "2.0", id: 0, method: "m", params: { a: 1 } }), {
    id: 0,
    method: "m",
    params: { a: 1 },
  });
  deepStrictEqual([{ id: 0 }, { id: "a" }, { id: {} }, {}, null, [1]].map(idOf), [
    0,
    "a",
    null,
    null,
    null,
    null,
  ]);
  deepStrictEqual([{}, [], null, 1].map(isRecord), [true, false, false, false]);
});

for (const mode of ["auto", "legacy"] as const) {
  Deno.test(`${mode}: resources of all providers are listed and read`, async () => {
    const more = {
      list: () => Promise.resolve([{ uri: "more://1", name: "one", sizeBytes: 3 }]),
      read: (uri: string) => Promise.resolve(uri === "more://1" ? [{ uri, text: "abc" }] : undefined),
    };
    await using server = await serve(createRegistry({ resources: [new Resources(), more] }));
    await using client = await connect(server.url, mode);
    const { resources } = await client.listResources();
    deepStrictEqual(resources.map(({ uri }) => uri).at(-1), "more://1");
    strictEqual(resources.at(-1)?.size, 3);
    const { contents } = await client.readResource({ uri: "more://1" });
    deepStrictEqual(contents, [{ uri: "more://1", text: "abc" }]);
    const templates = (await client.listResourceTemplates()).resourceTemplates;
    deepStrictEqual(templates.map(({ uriTemplate }) => uriTemplate), ["test://template/{id}/data"]);
    const binary = await client.readResource({ uri: "test://static-binary" });
    ok("blob" in binary.contents[0]!);
    await rejects(client.readResource({ uri: "more://2" }), /not found/i);
  });

  Deno.test(`${mode}: prompts are filled, and a hole that is left is named`, async () => {
    await using server = await serve(everything());
    await using client = await connect(server.url, mode);
    const name = "test_prompt_with_arguments";
    const { messages } = await client.getPrompt({ name, arguments: { arg1: "x", arg2: "y" } });
    deepStrictEqual(messages[0]?.content, {
      type: "text",
      text: "Prompt with arguments: arg1='x', arg2='y'",
    });
    await rejects(client.getPrompt({ name, arguments: { arg1: "x" } }), /needs the argument "arg2"/);
    await rejects(client.getPrompt({ name: "nope" }), /Unknown prompt: nope/);
    const argument = { name: "arg1", value: "pari" };
    const { completion } = await client.complete({ ref: { type: "ref/prompt", name }, argument });
    deepStrictEqual(completion.values, ["paris"]);
  });
}

Deno.test("a client of 2026 hears of the resources it listens to, until it goes", async () => {
  const resources = new Resources();
  await using server = await serve(createRegistry({ resources: [resources] }));
  const uri = "test://watched-resource";
  const notifications = { resourceSubscriptions: [uri], resourcesListChanged: true };
  const response = await fetch(statelessRequest(server.url, "subscriptions/listen", { notifications }));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const heard = async (count: number) => {
    while (text.split("data: ").length <= count) text += await more(reader);
    return text.split("\n").filter((line) => line.startsWith("data: ")).map((line) =>
      JSON.parse(line.slice(6))
    );
  };
  strictEqual((await heard(1))[0].method, "notifications/subscriptions/acknowledged");
  resources.touch({ kind: "updated", uri: "test://static-text" });
  resources.touch({ kind: "updated", uri });
  resources.touch({ kind: "list" });
  const methods = (await heard(3)).map(({ method, params }) => [method, params.uri]);
  deepStrictEqual(methods.slice(1), [
    ["notifications/resources/updated", uri],
    ["notifications/resources/list_changed", undefined],
  ]);
  await reader.cancel();
});

Deno.test("a session is told of the resources that it subscribed to, changes close together as one", async () => {
  const resources = new Resources();
  await using server = await serve(createRegistry({ resources: [resources] }), { limits: { changeMs: 50 } });
  await using client = await connect(server.url, "legacy");
  const uri = "test://watched-resource";
  const heard: string[] = [];
  let twice = Promise.withResolvers<void>();
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
    heard.push(params.uri);
    if (heard.length % 2 === 0) twice.resolve();
  });
  await client.subscribeResource({ uri });
  for (let change = 0; change < 100; change++) {
    resources.touch({ kind: "updated", uri });
    resources.touch({ kind: "updated", uri: "test://static-text" });
  }
  await twice.promise;
  twice = Promise.withResolvers();
  deepStrictEqual(heard, [uri, uri]);
  await client.unsubscribeResource({ uri });
  resources.touch({ kind: "updated", uri });
  await client.ping();
  deepStrictEqual(heard, [uri, uri]);
});

const EVENTS = { "content-type": "text/event-stream" };

Deno.test("a stream that is not read is cut off at the next piece above the limit, and its source is told", async () => {
  let [cancelled, ended] = [0, 0];
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(60)),
    cancel: () => void cancelled++,
  });
  const done = Promise.withResolvers<void>();
  const response = boundUnread(new Response(source, { status: 201, headers: EVENTS }), 100, () => {
    ended++;
    done.resolve();
  });
  deepStrictEqual([response.status, response.headers.get("content-type")], [201, "text/event-stream"]);
  await done.promise;
  await rejects(response.text(), /The client reads too slowly and was cut off/);
  deepStrictEqual([cancelled, ended], [1, 1]);
});

Deno.test("a stream that is read comes whole, in pieces of any size", async () => {
  const ended = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array>();
  const pieces = ReadableStream.from([new Uint8Array(1000), new Uint8Array(1)]);
  const response = boundUnread(new Response(pieces, { headers: EVENTS }), 100, ended.resolve);
  const reader = response.body!.getReader();
  let length = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.length;
  }
  strictEqual(length, 1001);
  await ended.promise;
  let count = 0;
  strictEqual(boundUnread(new Response(null, { status: 202 }), 100, () => count++).status, 202);
  const left = boundUnread(new Response(source, { headers: EVENTS }), 100, () => count++);
  await left.body!.cancel();
  await Promise.resolve();
  strictEqual(count, 2);
});

Deno.test("streams of changes are bounded", async () => {
  await using server = await serve(everything(), { limits: { subscriptions: 1 } });
  const notifications = { resourcesListChanged: true };
  const first = await fetch(statelessRequest(server.url, "subscriptions/listen", { notifications }));
  const { error } = await stateless(server.url, "subscriptions/listen", { notifications });
  strictEqual(error.message, "Subscription limit reached");
  await first.body!.cancel();
});

Deno.test("subscriptions of a session are bounded", async () => {
  await using server = await serve(everything(), { limits: { subscriptions: 1 } });
  await using client = await connect(server.url, "legacy");
  await client.subscribeResource({ uri: "test://a" });
  await client.subscribeResource({ uri: "test://a" });
  await rejects(
    client.subscribeResource({ uri: "test://b" }),
    /Too many subscriptions: 1 are open, the limit/,
  );
});

Deno.test("a server whose resources never change offers no subscriptions", async () => {
  await using server = await serve(
    createRegistry({ resources: [{ list: () => [], read: () => undefined }] }),
  );
  const { result } = await stateless(server.url, "server/discover");
  deepStrictEqual(result.capabilities.resources, {});
});

Deno.test("bugs of resources and prompts are told to whoever runs the server", async () => {
  const told: string[] = [];
  const bug = (what: string) => (): never => {
    throw new TypeError(what);
  };
  const registry = createRegistry({
    resources: [{ list: bug("list"), read: bug("read") }],
    prompts: [{ name: "p", messages: bug("messages"), complete: bug("complete") }],
  });
  await using server = await serve(registry, { onError: (error) => told.push(String(error)) });
  await using client = await connect(server.url, "auto");
  await rejects(client.listResources(), /list/);
  await rejects(client.readResource({ uri: "a://b" }), /read/);
  await rejects(client.getPrompt({ name: "p" }), /messages/);
  const ref = { type: "ref/prompt", name: "p" } as const;
  await rejects(client.complete({ ref, argument: { name: "a", value: "" } }), /complete/);
  deepStrictEqual(told, ["list", "read", "messages", "complete"].map((what) => `TypeError: ${what}`));
});

Deno.test("state of one tool is not taken by another", async () => {
  await using server = await serve(everything());
  const capabilities = { elicitation: {} };
  const ask = (name: string, more: object) =>
    stateless(server.url, "tools/call", { name, arguments: {}, ...more }, capabilities);
  const { result } = await ask("test_input_required_result_request_state", {});
  const taken = await ask("test_input_required_result_tampered_state", { requestState: result.requestState });
  deepStrictEqual([taken.error.code, taken.error.message], [-32602, "requestState belongs to another call"]);
});
