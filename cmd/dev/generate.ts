/** `deno task generate`: writes all generated sources anew. @module */
import { generate } from "../../lib/build/generate.ts";

export async function run(): Promise<number> {
  await generate();
  return 0;
}
