/**
 * The Nix build monitor around the pure core of `lib/nix`: what runs on this host (`processes/`).
 * @module
 */
export * from "./processes/mod.ts";
