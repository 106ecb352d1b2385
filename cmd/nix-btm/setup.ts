/** `nix-btm setup`: what has to stand in nix.conf. @module */
import { command, print } from "../../lib/cli/mod.ts";
import { folders, NIX_SOCKET, NIX_SOCKET_OPTION } from "./paths.ts";

export const setup = command({
  name: "setup",
  summary: "print the line for nix.conf",
  description:
    "Nix from 2.30 on writes its log to json-log-path. Before, nix-btm run and nix-btm pipe take it from the command. " +
    "Printed is one line; where the daemon of Nix builds, it goes into /etc/nix/nix.conf.",
  options: { nixJsonFilePath: NIX_SOCKET_OPTION },
  examples: [
    ["nix-btm setup | sudo tee -a /etc/nix/nix.conf", "For the whole host"],
    ["nix-btm setup >> ~/.config/nix/nix.conf", "For this user"],
  ],
  run({ options }) {
    print(`json-log-path = ${options.nixJsonFilePath ?? `${folders().runtime}/${NIX_SOCKET}`}\n`);
    return Promise.resolve(0);
  },
});
