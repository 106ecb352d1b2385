/** A judge of accessibility that others have written (axe-core). @module */
import { strictEqual } from "node:assert/strict";
import type { Page } from "playwright-core";

/** Of a fixed version; it is no part of the project. */
const PROGRAM =
  `import axe from "npm:axe-core@4.14.1"; await Deno.stdout.write(new TextEncoder().encode(axe.source));`;

let source: Promise<string> | undefined;

/** What it does not like in the page as it is now. */
export async function complaintsOfAxe(page: Page): Promise<string[]> {
  await page.evaluate(await (source ??= read()));
  const { violations }: {
    readonly violations: readonly {
      readonly id: string;
      readonly nodes: readonly { readonly html: string }[];
    }[];
  } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
}

async function read(): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-lock", "--no-config", PROGRAM],
    cwd: "/",
    stdin: "null",
  }).output();
  strictEqual(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
