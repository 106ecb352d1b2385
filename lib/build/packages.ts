/**
 * Debian packages that set-up needs. They are installed only as root and without starting a service:
 * Debian's prometheus would listen on every interface and etcd would take its usual port.
 * @module
 */
import { QEMU } from "./guest_kernel.ts";
import { exec, exists } from "./step.ts";

/** What `up` needs and what `test` needs beside it. */
export type Profile = "up" | "test";

/** A package and the file that tells that it is there: cheaper to look for than to ask dpkg. */
type Package = readonly [name: string, file: string];

const LIB = `/usr/lib/${Deno.build.arch}-linux-gnu`;

const PACKAGES: Record<Profile, readonly Package[]> = {
  up: [
    ["gcc", "/usr/bin/gcc"],
    ["libc6-dev", `${LIB}/libc.a`],
    ["clang", "/usr/bin/clang"],
    ["libbpf-dev", `${LIB}/libbpf.a`],
    ["libelf-dev", `${LIB}/libelf.a`],
    ["zlib1g-dev", `${LIB}/libz.a`],
  ],
  test: [
    ["bpftool", "/usr/sbin/bpftool"],
    ["cargo", "/usr/bin/cargo"],
    ["chromium", "/usr/bin/chromium"],
    ["clang-format", "/usr/bin/clang-format"],
    ["direnv", "/usr/bin/direnv"],
    ["etcd-server", "/usr/bin/etcd"],
    ["fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    ["iproute2", "/usr/sbin/tc"],
    ["libprotobuf-dev", "/usr/include/google/protobuf/timestamp.proto"],
    ["nftables", "/usr/sbin/nft"],
    // The programs alone: Debian's unit for nix-daemon is in nix-setup-systemd, which is not wanted.
    ["nix-bin", "/usr/bin/nix-build"],
    ["procps", "/usr/bin/pgrep"],
    ["protobuf-compiler", "/usr/bin/protoc"],
    ["prometheus", "/usr/bin/promtool"],
    ["python3-minimal", "/usr/bin/python3"],
    ["ripgrep", "/usr/bin/rg"],
    ["strace", "/usr/bin/strace"],
    ["tmux", "/usr/bin/tmux"],
    ...(Deno.build.arch === "x86_64"
      ? [
        ["gcc-aarch64-linux-gnu", "/usr/bin/aarch64-linux-gnu-gcc"],
        ["libc6-dev-arm64-cross", "/usr/aarch64-linux-gnu/lib/libc.a"],
        ["qemu-system-x86", QEMU],
        ["qemu-user-static", "/usr/bin/qemu-aarch64-static"],
      ] as const
      : []),
  ],
};

const POLICY = "/usr/sbin/policy-rc.d";
/** Kept while an install runs, so that an install that was killed is put right by the next one. */
const POLICY_SAVED = "/usr/sbin/policy-rc.d.hostkit-saved";

/** Names of packages of the profile that are not there. */
function missingPackages(profile: Profile): string[] {
  const wanted = profile === "test" ? [...PACKAGES.up, ...PACKAGES.test] : PACKAGES.up;
  return wanted.filter(([, file]) => !exists(file)).map(([name]) => name);
}

/** Installs what is missing. @throws {Error} Without root, naming the one command to run. */
export async function installPackages(profile: Profile, say: (line: string) => void): Promise<void> {
  const missing = missingPackages(profile);
  if (missing.length === 0) return;
  if (Deno.uid() !== 0) {
    throw new Error(
      `Cannot set up: Debian packages are missing and only root can install them. Run:\n` +
        `  sudo apt-get update && sudo apt-get install --no-install-recommends -y ${missing.join(" ")}`,
    );
  }
  say(`installing ${missing.length} Debian packages: ${missing.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"];
  await exec("apt-get", [...options, "update"], { env });
  await withoutServices(() =>
    exec("apt-get", [...options, "install", "-y", "--no-install-recommends", ...missing], { env })
  );
}

/** A policy that answers 101 keeps Debian's maintainer scripts from starting what they install. */
async function withoutServices(install: () => Promise<unknown>): Promise<void> {
  if (exists(POLICY) && !exists(POLICY_SAVED)) await Deno.rename(POLICY, POLICY_SAVED);
  await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await install();
  } finally {
    if (exists(POLICY_SAVED)) await Deno.rename(POLICY_SAVED, POLICY);
    else await Deno.remove(POLICY);
  }
}
