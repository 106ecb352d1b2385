/** Graphs of small derivations for tests with real Nix, and the Nix expressions that they are. @module */

/** One derivation. Its builder is `/bin/sh` outside of any sandbox. */
export interface Node {
  readonly name: string;
  /** Names of other nodes of the graph that are built before. */
  readonly inputs?: readonly string[];
  /** Told to Nix one after the other, each with one line of log; `buildPhase` alone when not said. */
  readonly phases?: readonly string[];
  /** Shell commands of the last phase, before the outputs are made. */
  readonly script?: string;
  /** How long the last phase sleeps. */
  readonly sleepMs?: number;
  /** The last phase waits until this file is there: the test decides how long the build runs. */
  readonly gate?: string;
  /** `out` alone when not said. */
  readonly outputs?: readonly string[];
  /** Further attributes of the derivation, as Nix has them. */
  readonly attributes?: string;
}

/** Nodes, and which of them are asked for. */
export interface Graph {
  readonly roots: readonly string[];
  readonly nodes: readonly Node[];
}

/** What every node of a graph has; another `salt` makes other derivations of the same names. */
export interface Shape extends Pick<Node, "phases" | "sleepMs" | "gate"> {
  readonly salt?: string;
}

/** One derivation without inputs. */
export function single(name = "single", shape: Shape = {}): Graph {
  return graph([name], [{ name }], shape);
}

/** `chain-1` needs `chain-2` and so on; the last of `count` needs nothing. */
export function chain(count: number, shape: Shape = {}): Graph {
  const name = (at: number) => `chain-${at}`;
  const nodes = numbers(count).map((at) => ({ name: name(at), inputs: at < count ? [name(at + 1)] : [] }));
  return graph([name(1)], nodes, shape);
}

/** `top` needs `left` and `right`, and both need `bottom`. */
export function diamond(shape: Shape = {}): Graph {
  const nodes = [
    { name: "top", inputs: ["left", "right"] },
    { name: "left", inputs: ["bottom"] },
    { name: "right", inputs: ["bottom"] },
    { name: "bottom" },
  ];
  return graph(["top"], nodes, shape);
}

/** `wide` needs `wide-1` to `wide-COUNT`, which need nothing. */
export function wide(count: number, shape: Shape = {}): Graph {
  const leaves = numbers(count).map((at) => `wide-${at}`);
  return graph(["wide"], [{ name: "wide", inputs: leaves }, ...leaves.map((name) => ({ name }))], shape);
}

/** A chain of three whose middle one, `chain-2`, fails with exit code 3 in its `checkPhase`. */
export function failingChain(shape: Shape = {}): Graph {
  const { roots, nodes } = chain(3, shape);
  const failing = {
    phases: ["buildPhase", "checkPhase"],
    script: "echo 'assertion failed: 1 == 2' >&2; exit 3",
  };
  return { roots, nodes: nodes.map((node) => node.name === "chain-2" ? { ...node, ...failing } : node) };
}

/** One derivation with the outputs `out`, `dev` and `doc`. */
export function multiOutput(shape: Shape = {}): Graph {
  return graph(["several"], [{ name: "several", outputs: ["out", "dev", "doc"] }], shape);
}

/** A fixed-output derivation whose content is not what its hash says. */
export function wrongHash(shape: Shape = {}): Graph {
  const attributes = `outputHashMode = "flat"; outputHashAlgo = "sha256"; outputHash = "${"0".repeat(64)}";`;
  return graph(["fetched"], [{ name: "fetched", attributes }], shape);
}

/** A derivation that never ends by itself: for `--timeout 1`, the shortest that Nix knows, or for a signal. */
export function endless(shape: Shape = {}): Graph {
  return graph(["endless"], [{ name: "endless", script: "sleep 3600" }], shape);
}

/** A derivation that is different each time: `--check` finds that out once it was built. */
export function nondeterministic(shape: Shape = {}): Graph {
  return graph(
    ["random"],
    [{ name: "random", script: "head -c 16 /dev/urandom | od > $out; exit 0" }],
    shape,
  );
}

/** The expression: an attribute set with each node by its name. */
export function expression({ nodes }: Graph): string {
  const lines = nodes.map((node) => `  ${quoted(node.name)} = make ${attributesOf(node)};`);
  return `let
  make = attributes: derivation ({
    system = "${Deno.build.arch}-linux";
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
  } // attributes);
  all = {
${lines.join("\n")}
  };
in all
`;
}

function graph(roots: readonly string[], nodes: readonly Node[], { salt, ...shape }: Shape): Graph {
  const salted = salt === undefined ? {} : { attributes: `salt = ${quoted(salt)};` };
  return {
    roots,
    nodes: nodes.map((node) => {
      const attributes = `${node.attributes ?? ""} ${salted.attributes ?? ""}`;
      return { ...shape, ...node, attributes };
    }),
  };
}

function attributesOf(node: Node): string {
  const inputs = (node.inputs ?? []).map((name) => `all.${quoted(name)}`);
  const outputs = (node.outputs ?? ["out"]).map(quoted);
  return `{
    name = ${quoted(node.name)};
    inputs = [ ${inputs.join(" ")} ];
    outputs = [ ${outputs.join(" ")} ];
    args = [ "-e" "-c" ${quoted(builderScript(node))} ];
    ${node.attributes ?? ""}
  }`;
}

/** Log lines and phases go to standard error, as the phases of Nix' own builders do. */
function builderScript(
  { name, phases = ["buildPhase"], script, sleepMs, gate, outputs = ["out"] }: Node,
): string {
  return [
    "exec 1>&2",
    ...phases.flatMap((phase) => [
      `echo '@nix { "action": "setPhase", "phase": "${phase}" }'`,
      `echo '${name}: ${phase}'`,
    ]),
    ...sleepMs === undefined ? [] : [`sleep ${sleepMs / 1000}`],
    // A build of a place that is gone waits for nobody.
    ...gate === undefined
      ? []
      : [`while [ ! -e '${gate}' ] && [ -d "$(dirname '${gate}')" ]; do sleep 0.02; done`],
    ...script === undefined ? [] : [script],
    ...outputs.map((output) => `echo '${name}' $inputs > $${output}`),
  ].join("\n");
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** A string of the Nix language in which nothing is replaced. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("${", "\\${")}"`;
}
