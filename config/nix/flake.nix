# The packed file comes from an input: `deno task pack` makes dist/hostkit, and Git does not keep it.
#   nix build 'git+file:.?dir=config/nix' --override-input packed "path:$PWD/dist"
# In the flake of a NixOS machine, with the file in a folder of its own:
#   inputs.packed = { url = "path:/etc/nixos/hostkit"; flake = false; };
#   inputs.nix-btm = { url = "git+file:///path/to/the/sources?dir=config/nix"; inputs.packed.follows = "packed"; };
#   modules = [ nix-btm.nixosModules.default { services.nix-btm.enable = true; } ];
{
  description = "nix-btm: every Nix build on the machine, from log line to core";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  # A folder with the file hostkit; there is none to name before it is packed.
  inputs.packed.flake = false;

  outputs =
    {
      self,
      nixpkgs,
      packed,
    }:
    let
      file = packed + "/hostkit";
      overlay = import ./overlay.nix file;
      forSystems = nixpkgs.lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
      ];
    in
    {
      overlays.default = overlay;
      packages = forSystems (system: {
        default = nixpkgs.legacyPackages.${system}.callPackage ./package.nix { packed = file; };
      });
      nixosModules.default = {
        imports = [ ./module.nix ];
        nixpkgs.overlays = [ overlay ];
      };
    };
}
