/** The pace of what is shown, and who waits for whom. */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { PlainView, Session, type Shown, type View } from "../../lib/nix_btm/inline/mod.ts";
import { scenario } from "../nix/_scenarios.ts";

const { bytes } = scenario("03-diamond");

/** A view that counts, and has as much to write as it was told. */
class Counting implements View {
  pendingLength = 0;
  shown = 0;
  lines = 0;
  readonly texts: string[] = [];
  line(): void {
    this.lines++;
  }
  message(): void {}
  text(part: Uint8Array): void {
    this.texts.push(new TextDecoder().decode(part));
  }
  output(part: Uint8Array): void {
    this.text(part);
  }
  show(): string {
    this.pendingLength = 0;
    return `picture ${++this.shown}`;
  }
  end(): string {
    return "end";
  }
}

function session(...shown: Shown[]): Session {
  return new Session({
    requester: { source: "wrapped" },
    views: () => shown,
    size: () => ({ width: 80, height: 24 }),
  });
}

Deno.test("many pieces make few pictures, and the end has the last word", async () => {
  const view = new Counting();
  const written: string[] = [];
  const write = (text: string) => Promise.resolve(void written.push(text));
  using shown = session({ view, write });
  for (let at = 0; at < bytes.length; at += 100) await shown.take(bytes.subarray(at, at + 100));
  deepStrictEqual(await shown.finish({ kind: "exited", code: 3 }), { kind: "exited", code: 3 });
  strictEqual(view.lines, 12);
  ok(view.shown < bytes.length / 100 / 4, `${view.shown} pictures`);
  match(written.at(-1)!, /end$/);
  await shown.text(new TextEncoder().encode("too late"));
  deepStrictEqual(view.texts, []);
});

Deno.test("a command is held back while more waits to be written than a terminal takes", async () => {
  const view = new Counting();
  const taken = Promise.withResolvers<void>();
  using shown = session({ view, write: () => taken.promise });
  strictEqual(shown.take(bytes.subarray(0, 100)), undefined);
  view.pendingLength = 2 * 1024 * 1024;
  let isHeld = true;
  const held = Promise.resolve(shown.take(bytes.subarray(100))).then(() => void (isHeld = false));
  await new Promise((resolve) => setTimeout(resolve));
  ok(isHeld);
  taken.resolve();
  await held;
  await shown.finish();
});

Deno.test("a terminal that has gone takes nobody else with it", async () => {
  const [gone, other] = [new Counting(), new Counting()];
  const written: string[] = [];
  using shown = session(
    { view: gone, write: () => Promise.reject(new Deno.errors.BrokenPipe("gone")) },
    { view: other, write: (text) => Promise.resolve(void written.push(text)) },
  );
  await shown.take(bytes);
  await shown.finish();
  match(written.join(" "), /end$/);
});

Deno.test("where nobody knows how the command ended the world tells", async () => {
  const whole = scenario("03-diamond").bytes;
  const cases = [
    [whole, 0, /✔ 4 │ finished/],
    [scenario("06-fail-chain").bytes, 1, /⚠ 1 .*failed with exit code 1/],
    [whole.subarray(0, whole.length * 0.6), 1, /⏹ \d .*broke off/],
  ] as const;
  for (const [log, code, sum] of cases) {
    let text = "";
    using shown = new Session({
      requester: { source: "pipe" },
      views: (
        world,
      ) => [{ view: new PlainView(world), write: (part) => Promise.resolve(void (text += part)) }],
      size: () => ({ width: 80, height: 24 }),
    });
    await shown.take(log);
    shown.say("hel\x1b]0;title\x07\x9blo");
    deepStrictEqual(await shown.finish(), { kind: "exited", code });
    match(text, /^nix-btm: hello$/m);
    match(text, sum);
  }
});

Deno.test("what the command says at its end stands behind its builds, also where a picture is late", async () => {
  const gate = Promise.withResolvers<void>();
  let text = "";
  using shown = new Session({
    requester: { source: "pipe" },
    views: (world) => [{
      view: new PlainView(world),
      write: async (part) => {
        await gate.promise;
        text += part;
      },
    }],
    size: () => ({ width: 80, height: 24 }),
    mayTalk: true,
  });
  const bytes = (line: string) => new TextEncoder().encode(line);
  const first = shown.text(bytes("first\n"));
  // The first picture is on its way to a terminal that takes its time.
  await Promise.resolve();
  await Promise.resolve();
  const others = [shown.take(scenario("03-diamond").bytes), shown.text(bytes("the path\n"))];
  const finished = shown.finish({ kind: "exited", code: 0 });
  gate.resolve();
  await Promise.all([first, ...others, finished]);
  match(text, /^first\nbuilding dia-a\n[^]*built dia-d in \S+\nthe path\n✔ 4/);
});
