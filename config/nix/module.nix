# NixOS: the daemon of nix-btm with the socket that Nix writes its log to, and its client for everybody of a group.
# It is tried with Nix' own evaluator against a small model of the module system (tests/nix_btm), not on NixOS.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:

let
  cfg = config.services.nix-btm;
  nix = config.nix.package;
  # Lix counts its versions from 2.90 and has not the setting.
  hasLogPath = (nix.pname or "nix") != "lix" && lib.versionAtLeast nix.version "2.30";
  words = [
    "${cfg.package}/bin/nix-btm"
    "daemon"
    "--nix-json-file-path"
    cfg.socket
    "--socket-group"
    cfg.group
  ]
  ++ lib.optionals (cfg.httpAddress != null) [
    "--http"
    cfg.httpAddress
  ]
  ++ lib.optionals (cfg.tokenFile != null) [
    "--token-file"
    cfg.tokenFile
  ]
  ++ cfg.extraArgs;
in
{
  options.services.nix-btm = {
    enable = lib.mkEnableOption "the daemon of nix-btm, which shows every Nix build on this machine";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.nix-btm;
      defaultText = lib.literalExpression "pkgs.nix-btm";
      description = "The package, of package.nix beside this module; its overlay makes pkgs.nix-btm.";
    };

    socket = lib.mkOption {
      type = lib.types.path;
      default = "/run/nix-btm/nix.sock";
      description = "Where Nix writes its log: json-log-path in nix.conf.";
    };

    socketMode = lib.mkOption {
      type = lib.types.str;
      default = "0666";
      example = "0660";
      description = ''
        Who may write that socket. Nix of a user who may not warns at each command; the daemon hears from the kernel who
        writes, whoever it is.
      '';
    };

    group = lib.mkOption {
      type = lib.types.str;
      default = "wheel";
      description = "Whose members may be clients of the daemon; the group of both sockets.";
    };

    httpAddress = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "127.0.0.1:9119";
      description = "Where the state is served as JSON and as events. Beyond this machine it takes tokenFile.";
    };

    tokenFile = lib.mkOption {
      type = lib.types.nullOr lib.types.str;
      default = null;
      example = "/run/secrets/nix-btm";
      description = "File with the token that HTTP clients send, outside of the store, which everybody can read.";
    };

    extraArgs = lib.mkOption {
      type = lib.types.listOf lib.types.str;
      default = [ ];
      example = [
        "--only-user"
        "alice"
      ];
      description = "Further words for `nix-btm daemon`.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = !lib.hasPrefix "/nix/store/" (toString cfg.tokenFile);
        message = "services.nix-btm.tokenFile is in the store, where everybody can read it";
      }
    ];
    warnings = lib.optional (!hasLogPath) (
      "services.nix-btm: ${nix.pname or "nix"} ${nix.version} has no json-log-path, which came with Nix 2.30: "
      + "the daemon hears of builds that are started by `nix-btm run` alone"
    );

    environment.systemPackages = [ cfg.package ];
    nix.settings = lib.mkIf hasLogPath { json-log-path = cfg.socket; };

    # The units are the package's; what is set here becomes drop-ins.
    systemd.packages = [ cfg.package ];
    systemd.sockets.nix-btm = {
      wantedBy = [ "sockets.target" ];
      listenStreams = [
        ""
        cfg.socket
      ];
      socketConfig = {
        SocketMode = cfg.socketMode;
        SocketGroup = cfg.group;
      };
    };
    systemd.services.nix-btm.serviceConfig.ExecStart = [
      ""
      (utils.escapeSystemdExecArgs words)
    ];
  };
}
