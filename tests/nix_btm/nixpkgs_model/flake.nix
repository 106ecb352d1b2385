{
  outputs = { self }: {
    lib = import ./lib.nix;
    legacyPackages.x86_64-linux = import ./. { };
    legacyPackages.aarch64-linux = import ./. { };
  };
}
