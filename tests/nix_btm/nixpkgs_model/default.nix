# A model of the part of nixpkgs that config/nix/package.nix uses: its install phase runs for real, with the machine's
# bash, and with functions of builder.sh in place of stdenv's.
{ glibc ? "/none", libgcc ? "/none" }:

let
  lib = import ./lib.nix;
  callPackage = file: arguments:
    let function = import file;
    in function (builtins.intersectAttrs (builtins.functionArgs function) packages // arguments);
  packages = {
    inherit lib callPackage;
    stdenv.cc = {
      cc = libgcc;
      libc = glibc;
      bintools.dynamicLinker = "${glibc}/lib/ld-linux-x86-64.so.2";
    };
    stdenvNoCC.mkDerivation = attributes:
      derivation (builtins.removeAttrs attributes [ "meta" "nativeBuildInputs" ] // {
        name = "${attributes.pname}-${attributes.version}";
        system = builtins.currentSystem or "x86_64-linux";
        builder = "/bin/bash";
        args = [ "-euc" "source ${./builder.sh}; eval \"$installPhase\"" ];
        PATH = "/usr/bin:/bin";
        uses = attributes.nativeBuildInputs;
      }) // { inherit (attributes) meta; };
    makeBinaryWrapper = "makeWrapper";
    installShellFiles = "installShellFiles";
  };
in
packages
