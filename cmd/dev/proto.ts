/** `deno task proto`: code from the contracts in `proto/`, as far as there are any. @module */
import { filesBelow } from "../../lib/build/step.ts";

export function run(): Promise<number> {
  const contracts = filesBelow("proto", /\.proto$/);
  if (contracts.length > 0) {
    throw new Error(
      `Cannot generate code from ${contracts[0]}: contracts come with the cluster, and their generator too`,
    );
  }
  console.error("proto: there are no contracts yet; they come with the cluster");
  return Promise.resolve(0);
}
