# Functions of stdenv and of the hooks that config/nix/package.nix names; what it uses of them and no more.
runHook() { :; }
stripHash() { local name=${1##*/}; echo "${name:33}"; }

substituteInPlace() {
  [ "$2" = --replace-fail ] && grep -q "$3" "$1"
  chmod u+w "$1"
  sed -i "s|$3|$4|g" "$1"
}

makeWrapper() {
  local program=$1 wrapper=$2 flags= settings=
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      --add-flags) flags+=" $2"; shift 2 ;;
      --set-default) settings+="export $2=\"\${$2-$3}\""$'\n'; shift 3 ;;
      *) echo "makeWrapper: unknown option $1" >&2; return 1 ;;
    esac
  done
  mkdir -p "${wrapper%/*}"
  printf '#!/bin/sh\n%sexec %s%s "$@"\n' "$settings" "$program" "$flags" > "$wrapper"
  chmod 555 "$wrapper"
}

installShellCompletion() {
  [ "$1" = --cmd ]
  case $3 in
    --bash) install -D -m 444 "$4" "$out/share/bash-completion/completions/$2.bash" ;;
    --zsh) install -D -m 444 "$4" "$out/share/zsh/site-functions/_$2" ;;
    --fish) install -D -m 444 "$4" "$out/share/fish/vendor_completions.d/$2.fish" ;;
  esac
}

installManPage() { install -D -m 444 "$1" "$out/share/man/man1/$1"; }
