/** What may be started in a project: by a list, or by asking the person. */
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { defaults, parseConfig, sampleConfig } from "../../lib/config/mod.ts";
import { type AllowRule, allowRulesOf, ICHIMI_CONFIG, lineOf, verdict } from "../../lib/ichimi/mod.ts";
import { World } from "./_world.ts";

const SHOP: AllowRule = { folder: "/home/a/shop", commands: ["npm run *", "ls"], unlisted: "ask" };

Deno.test("the list of the deepest folder counts, whole command lines are compared", () => {
  const rules = [
    SHOP,
    { folder: "/home/a/shop/api/", commands: ["cargo ?"], unlisted: "refuse" },
    { folder: "/home/b", commands: [], unlisted: "allow" },
  ] as const;
  const at = (folder: string | null, line: string, all: readonly AllowRule[] = rules) =>
    verdict(all, [{ folder: "/home/a/shop", line: "make" }], { folder, line });
  deepStrictEqual(
    [
      at("/home/a/shop", "npm run dev"),
      at("/home/a/shop/web", "npm run dev --port 3"),
      at("/home/a/shop", "npm install"),
      at("/home/a/shop", "xnpm run dev"),
      at("/home/a/shop", "ls -l"),
      at("/home/a/shop", "make"),
      at("/home/a/shopping", "rm"),
      at("/home/a/shop/api", "npm run dev"),
      at("/home/b/../a//shop/api/", "npm run dev"),
      at("/home/a/shop/api", "cargo b"),
      at("/home/b/x", "rm"),
      at(null, "rm"),
      at(null, "rm", [{ folder: "/", commands: [], unlisted: "refuse" }]),
      at("/anywhere", "rm", [{ folder: "/", commands: [], unlisted: "refuse" }]),
    ],
    [
      ...["allow", "allow", "ask", "ask", "ask", "allow", "allow"],
      ...["refuse", "refuse", "allow", "allow", "allow", "refuse", "refuse"],
    ],
  );
  strictEqual(lineOf("sh", ["-c", "a b", "", "c"]), 'sh -c "a b" "" c');
});

Deno.test("a rule without a folder, or with one that is nowhere, is refused; the sample has no rules", () => {
  const rules = (toml: string, home: string | undefined = "/home/a") =>
    allowRulesOf(parseConfig(ICHIMI_CONFIG, toml, "f.toml").config, home);
  throws(() => rules('[web]\n[allow.shop]\nunlisted = "ask"'), {
    message:
      'Cannot read configuration f.toml:2: "allow.shop.folder" is missing, expected an absolute folder ' +
      'such as "/home/alice/shop"',
  });
  throws(
    () => rules('[allow.shop]\nfolder = "shop"'),
    /f\.toml:2: "allow\.shop\.folder" is "shop", expected an abs/,
  );
  throws(() => rules('[allow.shop]\nfolder = "~/shop"', ""), /folder ~\/shop: HOME is not set/);
  deepStrictEqual(rules('[allow.shop]\nfolder = "~/shop"').map(({ folder }) => folder), ["/home/a/shop"]);
  const sample = parseConfig(ICHIMI_CONFIG, sampleConfig(ICHIMI_CONFIG, "Sample."), "s").config;
  deepStrictEqual(sample, defaults(ICHIMI_CONFIG));
});

/** What the person says to each question, in turn. */
function person(...answers: readonly unknown[]) {
  const questions: string[] = [];
  return {
    questions,
    context: {
      clientCapabilities: { elicitation: {} },
      ask: (asked: Record<string, { params?: Record<string, unknown> }>) => {
        const [[key, { params }]] = Object.entries(asked) as [[string, { params?: Record<string, unknown> }]];
        questions.push(String(params!.message));
        return Promise.resolve({ [key]: answers[questions.length - 1] });
      },
    },
  };
}

const yes = (answer: string) => ({ action: "accept", content: { answer } });

Deno.test("a person is asked for what is not on the list: once, for good, or not at all", async () => {
  const allow: AllowRule[] = [];
  await using world = new World({ allow });
  allow.push({ folder: world.folder, commands: ["true"], unlisted: "ask" });
  const assistant = world.assistant();
  const start = async (id: string, who?: ReturnType<typeof person>) => {
    await assistant.ask("start_process", { id }, who?.context);
    await assistant.call("wait", { process: id, exit: true });
  };
  await assistant.call("create_process", { id: "listed", command: "true" });
  await start("listed");
  await assistant.call("create_process", { id: "other", command: "sleep", args: ["0"] });
  const refused = {
    message:
      `Process 'other' may not be started: 'sleep 0' is not among the commands that are allowed in ${world.folder}; a ` +
      `person can allow it, with "ichimi-server start other" on a terminal, in the console, or in [allow] of ichimi.toml`,
  };
  await rejects(start("other"), refused);
  const who = person({ action: "decline" }, yes("no"), yes("once"), { action: "cancel" }, yes("always"));
  await rejects(start("other", who), refused);
  await rejects(start("other", who), refused);
  await start("other", who);
  await rejects(start("other", who), refused);
  await start("other", who);
  await start("other", who);
  await start("other");
  deepStrictEqual(who.questions, Array(5).fill(`An assistant wants to run in ${world.folder}: sleep 0`));
  await world.reopen();
  await world.assistant().call("start_process", { id: "other" });
  const allowed = { folder: world.folder, line: "sleep 0" };
  deepStrictEqual([world.host.allowed.rules, world.host.allowed.learned], [allow, [allowed]]);
  world.host.allowed.remove(allowed);
  await world.reopen();
  deepStrictEqual(world.host.allowed.learned, []);
  await rejects(world.assistant().call("start_process", { id: "other" }), refused);
  throws(() => world.host.allowed.remove(allowed), /Nobody has allowed 'sleep 0' for good in \//);
});

Deno.test("what may not be started is not started in another way either", async () => {
  const allow: AllowRule[] = [{ folder: "/", commands: [], unlisted: "refuse" }];
  await using world = new World({ allow });
  const assistant = world.assistant();
  const nobody = person();
  const refused = /may not be started: 'sleep 100' is not among/;
  const described = { command: "sleep", args: ["100"] };
  await rejects(
    assistant.ask("create_process", { id: "now", ...described, auto_start_on_create: true }, nobody.context),
    refused,
  );
  deepStrictEqual(world.host.records, []);
  await assistant.call("create_process", { id: "a", ...described, auto_start_on_restore: true });
  await rejects(assistant.ask("start_process", { id: "a" }, nobody.context), refused);
  await rejects(assistant.ask("restart_process", { id: "a" }, nobody.context), refused);
  await rejects(world.host.startOne("a", AbortSignal.timeout(1_000)), refused);
  await rejects(world.host.restart("a", AbortSignal.timeout(1_000)), refused);
  await assistant.call("create_snapshot");
  await assistant.call("restore_snapshot");
  await assistant.call("create_template", { name: "t", ...described });
  await rejects(
    assistant.call("create_process_from_template", { template_id: "t", process_id: "b", auto_start: true }),
    refused,
  );
  await world.restart();
  deepStrictEqual(world.host.records.map(({ id }) => [id, world.host.standing(id).state.kind]), [[
    "a",
    "not_started",
  ]]);
  deepStrictEqual(nobody.questions, []);
});
