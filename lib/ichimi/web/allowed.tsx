/** What may be started where, and what a person has allowed for good: that can be taken back. @module */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { TypeOf } from "../../mcp/mod.ts";
import type { ALLOWED, LEARNED } from "../rest/shapes.ts";
import { ask, request, say } from "./api.ts";
import { Button } from "./controls.tsx";
import { words } from "./words.ts";

type Learned = TypeOf<typeof LEARNED>;

/** Undefined until it is known. */
const allowed = signal<TypeOf<typeof ALLOWED> | undefined>(undefined);

async function load(): Promise<void> {
  allowed.value = await ask("GET", "/allowed") ?? allowed.value;
}

async function takeBack({ folder, line }: Learned): Promise<void> {
  try {
    await request("DELETE", `/allowed?${new URLSearchParams({ folder, line })}`);
    say("good", words.value.takenBack(line));
  } catch (error) {
    say("bad", error instanceof Error ? error.message : String(error));
  }
  await load();
}

export function AllowedCard() {
  const w = words.value;
  useEffect(() => void load(), []);
  if (allowed.value === undefined) return null;
  const { rules, learned } = allowed.value;
  const unused = learned.filter(({ folder }) => rules.every((rule) => rule.folder !== folder));
  return (
    <section class="card allowed">
      <header>
        <h2>{w.allowed}</h2>
      </header>
      {rules.length === 0 && <p>{w.allAllowed}</p>}
      {rules.map(({ folder, commands, unlisted }) => (
        <div key={folder} class="rule">
          <h3>{folder}</h3>
          <ul>
            {commands.map((line) => (
              <li key={line}>
                <code>{line}</code>
                <small>{w.configured}</small>
              </li>
            ))}
            {learned.filter((each) => each.folder === folder).map((each) => (
              <LearnedRow key={each.line} learned={each} how={w.forGood} />
            ))}
            <li class="others">
              <span>{w.others}</span>
              <small class={unlisted}>{w.unlisted[unlisted]}</small>
            </li>
          </ul>
        </div>
      ))}
      {unused.length > 0 && (
        <div class="rule">
          <ul>
            {unused.map((each) => (
              <LearnedRow key={`${each.folder}\n${each.line}`} learned={each} how={each.folder} />
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

/** @param how Why it is there. */
function LearnedRow({ learned, how }: { learned: Learned; how: string }) {
  return (
    <li>
      <code>{learned.line}</code>
      <small>{how}</small>
      <Button
        icon="remove"
        label={words.value.takeBack(learned.line)}
        iconOnly
        kind="quiet"
        onClick={() => void takeBack(learned)}
      />
    </li>
  );
}
