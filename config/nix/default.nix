# nix-build config/nix --arg packed ./dist/hostkit
{
  pkgs ? import <nixpkgs> { },
  packed ? ../../dist/hostkit,
  tools ? [ "nix-btm" ],
}:

pkgs.callPackage ./package.nix { inherit packed tools; }
