# What config/nix uses of nixpkgs' lib, by its documentation. Types check.
rec {
  mkOption = option: option // { _type = "option"; };
  mkEnableOption = name: mkOption {
    type = types.bool;
    default = false;
    description = "Whether to enable ${name}.";
  };
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  literalExpression = text: { inherit text; };
  types = rec {
    bool = builtins.isBool;
    str = builtins.isString;
    path = value: builtins.match "/.*" (toString value) != null;
    package = value: value ? outPath;
    nullOr = type: value: value == null || type value;
    listOf = type: value: builtins.isList value && builtins.all type value;
  };
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;
  hasPrefix = prefix: text: builtins.substring 0 (builtins.stringLength prefix) text == prefix;
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  makeLibraryPath = packages: builtins.concatStringsSep ":" (map (package: "${package}/lib") packages);
  genAttrs = names: value: builtins.listToAttrs (map (name: { inherit name; value = value name; }) names);
  licenses.mit = "MIT";
  sourceTypes.binaryNativeCode = "binary";
  escapeSystemdExecArgs = words:
    builtins.concatStringsSep " "
      (map (word: builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON word)) words);
}
