# nixpkgs.overlays = [ (import ./config/nix/overlay.nix ./dist/hostkit) ];
packed: final: prev: {
  nix-btm = final.callPackage ./package.nix { inherit packed; };
}
