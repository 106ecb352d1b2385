import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { contextHere, onlyPrints, type Words, wrapCommand } from "../../lib/nix_btm/wrap/mod.ts";

const words = (line: string): Words => line.split(" ") as unknown as Words;

/** What is called; for a shell both, the preparation first. `+` stands for what is added. */
function called(line: string): string {
  const wrapped = wrapCommand(words(line), { isScript: (path) => path === "./script" });
  const lines = wrapped.kind === "shell" ? [wrapped.prepare, wrapped.words] : [wrapped.words];
  const text = lines.map((each) => each.join(" ").replace("--log-format internal-json -v", "+"));
  return `${wrapped.kind}: ${text.join(" | ")}`;
}

const CASES: [line: string, called: string][] = [
  // Nix itself takes the options before its sub-command.
  ["nix build .#hello", "records: nix + build .#hello"],
  ["/run/current-system/sw/bin/nix build", "records: /run/current-system/sw/bin/nix + build"],
  [
    "nix --extra-experimental-features flakes flake check",
    "records: nix + --extra-experimental-features flakes flake check",
  ],
  ["nix copy --to ssh://host /nix/store/x", "records: nix + copy --to ssh://host /nix/store/x"],
  ["nix run .#tool -- --log-format raw --help", "records: nix + run .#tool -- --log-format raw --help"],
  ["nix profile install nixpkgs#hello", "records: nix + profile install nixpkgs#hello"],
  ["nix store gc", "records: nix + store gc"],
  // What was said is not said twice.
  ["nix build -v", "records: nix --log-format internal-json build -v"],
  ["nix build -Lv x", "records: nix --log-format internal-json build -Lv x"],
  ["nix build --quiet", "records: nix --log-format internal-json build --quiet"],
  ["nix build --log-format internal-json", "records: nix -v build --log-format internal-json"],
  ["nix build --log-format internal-json -v", "records: nix build +"],
  ["nix build --log-format raw", "plain: nix build --log-format raw"],
  [
    "nix-build --log-format internal-json -vvv x.nix",
    "records: nix-build +vv x.nix",
  ],
  ["nix-build -Q x", "records: nix-build + x"],
  ["nix run x -- -Q", "records: nix + run x -- -Q"],
  ["nixos-rebuild --no-build-output switch", "records: nixos-rebuild switch +"],
  // A person, another program or a completion gets the command as it is.
  ["nix", "untouched: nix"],
  ["nix --help", "untouched: nix --help"],
  ["nix build --help", "untouched: nix build --help"],
  ["nix --version", "untouched: nix --version"],
  ["nix repl nixpkgs", "untouched: nix repl nixpkgs"],
  ["nix log x", "untouched: nix log x"],
  ["nix daemon --stdio", "untouched: nix daemon --stdio"],
  ["nix no-such-thing", "untouched: nix no-such-thing"],
  ["nix-daemon --stdio", "untouched: nix-daemon --stdio"],
  ["nix-store --serve", "untouched: nix-store --serve"],
  ["nix-store -qR /nix/store/x", "untouched: nix-store -qR /nix/store/x"],
  ["nix-instantiate --parse x.nix", "untouched: nix-instantiate --parse x.nix"],
  ["nix-env -q", "untouched: nix-env -q"],
  ["nix-channel --update", "untouched: nix-channel --update"],
  ["nix-build --help", "untouched: nix-build --help"],
  // The older programs.
  ["nix-build -A hello", "records: nix-build + -A hello"],
  ["nix-store -r /nix/store/x.drv", "records: nix-store + -r /nix/store/x.drv"],
  ["nix-store --realise x", "records: nix-store + --realise x"],
  ["nix-env -iA nixpkgs.hello", "records: nix-env + -iA nixpkgs.hello"],
  ["nix-env --upgrade", "records: nix-env + --upgrade"],
  ["nix-instantiate x.nix", "records: nix-instantiate + x.nix"],
  ["nix-copy-closure --to host x", "records: nix-copy-closure + --to host x"],
  ["nix-collect-garbage -d", "records: nix-collect-garbage + -d"],
  // Shells are built first, then they get the terminal.
  ["nix shell x y", "shell: nix + shell x y --command /bin/sh -c exit | nix shell x y"],
  [
    "nix shell x -c make -v --help",
    "shell: nix + shell x --command /bin/sh -c exit | nix shell x -c make -v --help",
  ],
  ["nix env shell x", "shell: nix + env shell x --command /bin/sh -c exit | nix env shell x"],
  ["nix develop", "shell: nix + develop --command /bin/sh -c exit | nix develop"],
  [
    "nix develop x --command make test",
    "shell: nix + develop x --command /bin/sh -c exit | nix develop x --command make test",
  ],
  [
    "nix develop x --phase build --unpack",
    "shell: nix + develop x --command /bin/sh -c exit | nix develop x --phase build --unpack",
  ],
  ["nix shell -- x", "shell: nix + shell x --command /bin/sh -c exit | nix shell -- x"],
  ["nix develop --help", "untouched: nix develop --help"],
  ["nix shell --log-format raw x", "untouched: nix shell --log-format raw x"],
  ["nix-shell", "shell: nix-shell + --run exit | nix-shell"],
  ["nix-shell -p hello --run cmd", "shell: nix-shell + -p hello --run exit | nix-shell -p hello --run cmd"],
  [
    "nix-shell --command cmd -p hello",
    "shell: nix-shell + -p hello --run exit | nix-shell --command cmd -p hello",
  ],
  ["nix-shell ./script arg", "untouched: nix-shell ./script arg"],
  ["nix-shell - --run cmd", "untouched: nix-shell - --run cmd"],
  ["nix-shell --version", "untouched: nix-shell --version"],
  // Those that have Nix work for them.
  ["nixos-rebuild switch --flake .", "records: nixos-rebuild switch + --flake ."],
  ["nixos-rebuild --fast build -v", "records: nixos-rebuild --fast build +"],
  ["nixos-rebuild list-generations", "untouched: nixos-rebuild list-generations"],
  ["nixos-rebuild --help", "untouched: nixos-rebuild --help"],
  ["sudo -E nixos-rebuild switch", "records: sudo -E nixos-rebuild switch +"],
  ["home-manager switch", "records: home-manager switch +"],
  ["home-manager generations", "untouched: home-manager generations"],
  ["home-manager -h", "untouched: home-manager -h"],
  ["darwin-rebuild switch --flake .", "plain: darwin-rebuild switch -v --flake ."],
  ["darwin-rebuild build -v", "plain: darwin-rebuild build -v"],
  ["nh os switch . -- --show-trace", "plain: nh os switch --no-nom . -- --show-trace"],
  ["nh os build --no-nom", "plain: nh os build --no-nom"],
  ["nh clean all", "untouched: nh clean all"],
  // Others are called as they are, and so is what follows them.
  ["colmena apply", "plain: colmena apply"],
  ["nix-fast-build -f .#checks", "plain: nix-fast-build -f .#checks"],
  ["make nix build", "plain: make nix build"],
  ["sudo -u root -- nix-build x", "records: sudo -u root -- nix-build + x"],
  ["env A=1 -u B nix build", "records: env A=1 -u B nix + build"],
  ["sudo nice -n 5 nix-shell", "shell: sudo nice -n 5 nix-shell + --run exit | sudo nice -n 5 nix-shell"],
  ["sudo -i", "plain: sudo -i"],
];

for (const [line, expected] of CASES) {
  Deno.test(`wrapCommand(): ${line}`, () => strictEqual(called(line), expected));
}

Deno.test("onlyPrints(): what becomes another program keeps its standard output", () => {
  const prints = ["nix-build", "sudo -u nix nix build .#x", "nix --option a b copy x", "nix-store -r x"];
  const becomes = [
    "nix run .#x",
    "nix fmt",
    "nix develop",
    "nix shell x",
    "nixos-rebuild switch",
    "make",
    "nix",
  ];
  for (const line of prints) strictEqual(onlyPrints(words(line)), true, line);
  for (const line of becomes) strictEqual(onlyPrints(words(line)), false, line);
});

Deno.test("wrapCommand(): what asks for completions gets them", () => {
  const command = words("nix build nixpkgs#he");
  deepStrictEqual(wrapCommand(command, { completing: true }), { kind: "untouched", words: command });
});

Deno.test("contextHere(): the environment and the file tell what the words do not", () => {
  const folder = Deno.makeTempDirSync({ prefix: "wrap-" });
  try {
    Deno.writeTextFileSync(`${folder}/script`, "#! /usr/bin/env nix-shell\n");
    Deno.writeTextFileSync(`${folder}/x.nix`, "{ }\n");
    Deno.writeTextFileSync(`${folder}/empty`, "");
    const { completing, isScript } = contextHere();
    const paths = ["script", "x.nix", "empty", "none", "."].map((name) => `${folder}/${name}`);
    deepStrictEqual([completing, ...paths.map((path) => isScript!(path))], [
      false,
      true,
      false,
      false,
      false,
      false,
    ]);
    const kind = (path: string) => wrapCommand(["nix-shell", path], contextHere()).kind;
    deepStrictEqual([kind(`${folder}/script`), kind(`${folder}/x.nix`)], ["untouched", "shell"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
