# Evaluates config/nix/module.nix as NixOS does one module: options have their types checked, conditions are resolved.
{ module, nix, settings }:

let
  lib = import ./lib.nix;
  settingsOf = builtins.fromJSON settings;
  evaluated = import module {
    inherit lib config;
    pkgs.nix-btm = { outPath = "/nix/store/package"; };
    utils = { inherit (lib) escapeSystemdExecArgs; };
  };
  options = evaluated.options.services.nix-btm;
  unknown = builtins.attrNames (builtins.removeAttrs settingsOf (builtins.attrNames options));
  valueOf = name: option:
    let value = settingsOf.${name} or option.default;
    in if option.type value then value else throw "The option services.nix-btm.${name} has a wrong value";
  config = {
    services.nix-btm = builtins.mapAttrs valueOf options;
    nix.package = builtins.fromJSON nix;
  };
  resolve = value:
    if (value._type or "") == "if" then (if value.condition then resolve value.content else { })
    else if builtins.isAttrs value && !(value ? outPath) then builtins.mapAttrs (_: resolve) value
    else value;
in
if unknown != [ ] then throw "The option services.nix-btm.${builtins.head unknown} does not exist"
else resolve evaluated.config
