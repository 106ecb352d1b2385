# nix-btm, and whatever else of hostkit is asked for by `tools`, from the packed file that `deno task pack` makes.
#
# Why not from the sources: set-up compiles with Debian's archives of libbpf and libelf and takes packages from npm; the
# packed file is what the project's tests run. Why no autoPatchelf: the packed file is a static executable with the
# runtime, the code and ready answers behind it, which patchelf and strip would cut off; the dynamic runtime in it is
# unpacked when it is first used. So a wrapper names glibc's loader and the libraries, which keeps both in the closure:
# no collection of garbage takes them away, and neither nix-ld nor /lib64 is needed.
{
  lib,
  stdenv,
  stdenvNoCC,
  makeBinaryWrapper,
  installShellFiles,
  # dist/hostkit
  packed,
  tools ? [ "nix-btm" ],
}:

stdenvNoCC.mkDerivation {
  pname = "nix-btm";
  version = "0.1.0";
  src = packed;
  units = [
    ../systemd/nix-btm.service
    ../systemd/nix-btm.socket
  ];
  inherit tools;

  dontUnpack = true;
  dontStrip = true;
  dontPatchELF = true;
  nativeBuildInputs = [
    makeBinaryWrapper
    installShellFiles
  ];

  installPhase = ''
    runHook preInstall
    hostkit=$out/libexec/hostkit
    install -D -m 555 $src $hostkit
    for tool in $tools; do
      makeWrapper $hostkit $out/bin/$tool \
        --add-flags $tool \
        --set-default HOSTKIT_LOADER ${stdenv.cc.bintools.dynamicLinker} \
        --set-default HOSTKIT_LIBRARY_PATH ${
          lib.makeLibraryPath [
            stdenv.cc.cc
            stdenv.cc.libc
          ]
        }
      # The launcher answers these by itself: that it does also tells that the file is whole.
      for shell in bash zsh fish; do
        $hostkit $tool completion $shell > $tool.$shell
        installShellCompletion --cmd $tool --$shell $tool.$shell
      done
      $hostkit $tool man > $tool.1
      installManPage $tool.1
    done
    for unit in $units; do
      install -D -m 444 $unit $out/lib/systemd/system/$(stripHash $unit)
    done
    substituteInPlace $out/lib/systemd/system/nix-btm.service --replace-fail /usr/local/bin $out/bin
    runHook postInstall
  '';

  meta = {
    description = "Every Nix build on the machine, from log line to core";
    license = lib.licenses.mit;
    mainProgram = "nix-btm";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    sourceProvenance = [ lib.sourceTypes.binaryNativeCode ];
  };
}
