/**
 * What a message of Nix means. Messages are for people and differ by version; these are the forms of Nix 2.0 to 2.36pre
 * that say what no record says: which builds are planned, which failed and why. Pure.
 * @module
 */
import { plainText } from "../tui/plain_text.ts";
import { BOUNDS } from "./bounds.ts";

/** Why a build failed, as it is told: `text` is one line without colours. */
export type Failure =
  /** `code` is what the builder ended with, or the number of the signal that ended it. */
  | { readonly kind: "exit" | "signal"; readonly text: string; readonly code: number }
  /** The two hashes as Nix writes them. */
  | {
    readonly kind: "hash-mismatch";
    readonly text: string;
    readonly specified: string;
    readonly got: string;
  }
  | {
    readonly kind:
      /** Without hashes: of what is imported Nix tells them elsewhere. */
      | "hash-mismatch"
      | "timeout"
      | "not-deterministic"
      | "dependency"
      | "output"
      | "platform"
      | "other";
    readonly text: string;
  };

/** What a text of Nix says. */
export type Meaning =
  /** Without a count it is as many as are listed. */
  | { readonly kind: "willBuild"; readonly count: number | undefined }
  | {
    readonly kind: "willFetch";
    readonly count: number | undefined;
    readonly downloadBytes: number;
    readonly unpackedBytes: number;
  }
  | { readonly kind: "planned"; readonly path: string }
  | { readonly kind: "failed"; readonly path: string; readonly failure: Failure }
  | { readonly kind: "interrupted" }
  | { readonly kind: "error" | "warning"; readonly text: string }
  | { readonly kind: "evaluating"; readonly file: string }
  | { readonly kind: "instantiated"; readonly path: string }
  | { readonly kind: "edge"; readonly path: string; readonly input: string }
  | { readonly kind: "building"; readonly path: string; readonly host: string }
  | { readonly kind: "copying"; readonly path: string; readonly from: string; readonly to: string }
  | { readonly kind: "info" };

const PATH = String.raw`'([^'\n]+)'`;
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Asked in this order. Of daemons all levels come as 0, so that only the text tells an error. */
const FAILURES: readonly [RegExp, (found: readonly string[]) => Failure][] = [
  [
    new RegExp(
      `(?:builder for ${PATH} failed|Cannot build ${PATH}\\.\\s*Reason: .*builder failed) with exit code (\\d+)`,
    ),
    ([text, , , code]) => ({ kind: "exit", text: text!, code: Number(code) }),
  ],
  [
    new RegExp(
      `(?:builder for ${PATH} failed|Cannot build ${PATH}\\.\\s*Reason: .*builder failed) due to signal (\\d+)( \\([^)]*\\))?`,
    ),
    ([text, , , code]) => ({ kind: "signal", text: text!, code: Number(code) }),
  ],
  [
    new RegExp(
      `hash mismatch in (?:fixed-output )?derivation ${PATH}():?\\s*(?:specified|wanted):\\s*(\\S+)\\s*got:\\s*(\\S+)`,
    ),
    ([, , , specified, got]) => ({
      kind: "hash-mismatch",
      text: `hash mismatch: specified ${specified}, got ${got}`,
      specified: specified!,
      got: got!,
    }),
  ],
  [
    new RegExp(`(?:hash mismatch|ca hash mismatch) (?:in|importing)[^']*${PATH}()`),
    () => ({ kind: "hash-mismatch", text: "hash mismatch" }),
  ],
  [
    // A goal's name has the wanted outputs behind the path, and how it is built behind that.
    /(?:building of )?'([^'!^\n]+)(?:[!^][^']*)?'()(?: from \.drv file)? timed out after (.+)/,
    ([, , , after]) => ({ kind: "timeout", text: `timed out after ${after}` }),
  ],
  [
    new RegExp(`Cannot build ${PATH}()\\.\\s*Reason: .*timed out`),
    () => ({ kind: "timeout", text: "timed out" }),
  ],
  [
    new RegExp(`derivation ${PATH}() may not be deterministic(.*)`),
    ([, , , how]) => ({ kind: "not-deterministic", text: `may not be deterministic${how}` }),
  ],
  [
    new RegExp(`output '[^']+' of ${PATH}() differs from`),
    () => ({ kind: "not-deterministic", text: "may not be deterministic: the outputs of two rounds differ" }),
  ],
  [
    new RegExp(`\\b\\d+ dependenc(?:y|ies) of derivation ${PATH}() failed`),
    ([text]) => ({ kind: "dependency", text: text! }),
  ],
  [
    new RegExp(`Cannot build ${PATH}()\\.\\s*Reason: (\\d+ dependenc(?:y|ies) failed)`),
    ([, , , why]) => ({ kind: "dependency", text: why! }),
  ],
  [
    new RegExp(`builder for ${PATH}() failed to produce output path.*`),
    ([text]) => ({ kind: "output", text: text! }),
  ],
  [
    new RegExp(`required to build ${PATH}(), but`),
    ([text]) => ({ kind: "platform", text: text! }),
  ],
  [
    new RegExp(`(?:a|A) '[^']+' with features .* is required to build ${PATH}()`),
    ([text]) => ({ kind: "platform", text: text! }),
  ],
  [
    new RegExp(`Cannot build ${PATH}()\\.\\s*Reason: (.+)`),
    ([, , , why]) => ({ kind: "other", text: why! }),
  ],
  [
    new RegExp(`build of ${PATH}() on '[^']+' failed:? ?(.*)`),
    ([text]) => ({ kind: "other", text: text! }),
  ],
  [
    new RegExp(
      `(?:builder for|while setting up the build environment for|unable to start build of) ${PATH}().*`,
    ),
    ([text]) => ({ kind: "other", text: text! }),
  ],
];

const WILL_BUILD = /^(?:this|these(?: (\d+))?) derivations? will be built:?$/;
const WILL_FETCH =
  /^(?:this|these(?: (\d+))?) paths? will be fetched(?: \(([\d.]+) (\w+) download(?:, ([\d.]+) (\w+) unpacked)?\))?:?$/;
const LISTED = /^ {2}(\/\S+)$/;
const OWN = new RegExp(`^building ${PATH}(?:\\.\\.\\.)?(?: on ${PATH})?(?:\\.\\.\\.)?$`);
const ANEW = new RegExp(`^(?:checking|repairing) outputs of ${PATH}(?:\\.\\.\\.)?$`);
const COPYING = new RegExp(`^copying path ${PATH}(?: from ${PATH})?(?: to ${PATH})?(?:\\.\\.\\.)?$`);
/** A goal's derivation, the outputs that are wanted of it behind `!` or `^`. */
const GOAL = String.raw`building of '([^'!^]+)[!^]?[^']*'[^']*`;
const WAITED_BUILD = new RegExp(`^${GOAL}: waitee '${GOAL}' done`);

/**
 * What one line of a message means, or a whole message where it is an error: newlines in it are part of it then.
 * @param text With or without colours.
 */
export function meaningOf(text: string): Meaning {
  const plain = plainText(text);
  if (plain.startsWith("error:")) return errorOf(plain.slice("error:".length).trim());
  if (plain.startsWith("warning:")) return { kind: "warning", text: plain.slice("warning:".length).trim() };
  if (plain.startsWith("building of '")) return goalOf(plain);
  let found = LISTED.exec(plain);
  if (found !== null) return { kind: "planned", path: found[1]! };
  if ((found = WILL_BUILD.exec(plain)) !== null) return { kind: "willBuild", count: countOf(found) };
  if ((found = WILL_FETCH.exec(plain)) !== null) {
    return {
      kind: "willFetch",
      count: countOf(found),
      downloadBytes: bytesOf(found[2], found[3]),
      unpackedBytes: bytesOf(found[4], found[5]),
    };
  }
  if ((found = OWN.exec(plain)) !== null) return { kind: "building", path: found[1]!, host: found[2] ?? "" };
  if ((found = ANEW.exec(plain)) !== null) return { kind: "building", path: found[1]!, host: "" };
  if ((found = COPYING.exec(plain)) !== null) {
    return { kind: "copying", path: found[1]!, from: found[2] ?? "local", to: found[3] ?? "local" };
  }
  if ((found = /^evaluating file '(.+)'$/.exec(plain)) !== null) {
    return { kind: "evaluating", file: found[1]! };
  }
  if ((found = /^instantiated '.*' -> '(.+)'$/.exec(plain)) !== null) {
    return { kind: "instantiated", path: found[1]! };
  }
  return { kind: "info" };
}

function errorOf(text: string): Meaning {
  if (/^interrupted by the user$/.test(text)) return { kind: "interrupted" };
  const { reason } = BOUNDS;
  // Patterns that begin anywhere take their time with megabytes, and the reason stands at an end.
  const seen = text.length <= 2 * reason ? text : `${text.slice(0, reason)}\n${text.slice(-reason)}`;
  for (const [pattern, failureOf] of FAILURES) {
    const found = pattern.exec(seen);
    if (found !== null) return { kind: "failed", path: found[1] ?? found[2]!, failure: failureOf(found) };
  }
  return { kind: "error", text };
}

function goalOf(text: string): Meaning {
  const found = WAITED_BUILD.exec(text);
  return found === null ? { kind: "info" } : { kind: "edge", path: found[1]!, input: found[2]! };
}

function countOf([text, count]: RegExpExecArray): number | undefined {
  if (count !== undefined) return Number(count);
  return text.startsWith("this ") ? 1 : undefined;
}

function bytesOf(count: string | undefined, unit: string | undefined): number {
  return count === undefined ? 0 : Number(count) * (UNITS[unit ?? "B"] ?? 1);
}
