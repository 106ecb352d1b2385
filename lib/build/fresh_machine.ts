/**
 * A fresh Debian machine in a folder: what debootstrap makes, Node and npm of this machine, and a checkout. Programs
 * run in it with mounts of their own, which end with them.
 * @module
 */
import { debianMirror } from "./debian_archive.ts";
import { ROOT } from "./paths.ts";
import { dirname, exec, exists } from "./step.ts";

const NODE = "/usr/bin/node";
const NPM = "/usr/lib/node_modules/npm";
const NPM_LINKS: readonly (readonly [string, string])[] = [
  ["/usr/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"],
  ["/usr/bin/npx", "../lib/node_modules/npm/bin/npx-cli.js"],
];
/** How this machine reaches Debian's mirror and npm's registry, as far as it says so in files. */
const NETWORK_FILES = [
  "/etc/resolv.conf",
  "/etc/hosts",
  "/etc/apt/sources.list",
  "/etc/apt/sources.list.d",
  "/etc/apt/trusted.gpg.d",
  "/etc/apt/keyrings",
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/npmrc",
  "/usr/etc/npmrc",
  "/root/.npmrc",
];
/** And in its environment. */
const NETWORK_VARIABLES = /^(DENO_CERT|DENO_TLS_CA_STORE|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|\w+_proxy)$/i;
/** Where the checkout lies in it. */
const CHECKOUT = "/srv/hostkit";

/** Makes the machine in `root`, which must not exist. Needs root and debootstrap; takes about a minute. */
export async function makeFreshMachine(root: string): Promise<void> {
  const { uri, suite, keyring } = await debianMirror();
  await Deno.mkdir(dirname(root), { recursive: true });
  await exec("debootstrap", ["--variant=minbase", `--keyring=${keyring}`, suite, root, uri]);
  const network = [...NETWORK_FILES, NODE, NPM];
  for (const file of network.filter(exists)) {
    await Deno.mkdir(root + dirname(file), { recursive: true });
    await exec("rm", ["-rf", root + file]);
    await exec("cp", ["--recursive", "--dereference", "--preserve=mode", file, root + file]);
  }
  await Deno.writeTextFile(
    `${root}/etc/apt/apt.conf.d/90network`,
    await exec("apt-config", ["dump", "Acquire"]),
  );
  for (const [link, target] of NPM_LINKS) await Deno.symlink(target, root + link);
  await Deno.mkdir(root + CHECKOUT, { recursive: true });
  const archive = `${root}/checkout.tar`;
  await exec("git", ["archive", `--output=${archive}`, "HEAD"], { cwd: ROOT });
  await exec("tar", ["-xf", archive, "-C", root + CHECKOUT]);
  await Deno.remove(archive);
}

/**
 * A program that runs a shell command in the machine's checkout, as the leader of a process group. It shares this
 * machine's network and kernel file systems, but not its files.
 */
export function inFreshMachine(root: string, command: string): Deno.Command {
  const script = [
    'mount --bind "$0" "$0"',
    'mount -t proc proc "$0/proc"',
    'mount --rbind /sys "$0/sys"',
    'mount --rbind /dev "$0/dev"',
    'mount -t tmpfs -o mode=755 tmpfs "$0/run"',
    `exec chroot "$0" sh -c 'cd ${CHECKOUT} && exec '"$1"`,
  ].join("\n");
  const kept = Object.entries(Deno.env.toObject()).filter(([name]) => NETWORK_VARIABLES.test(name));
  return new Deno.Command("setsid", {
    args: ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, root, command],
    env: {
      ...Object.fromEntries(kept),
      HOME: "/root",
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C.UTF-8",
    },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Ids of the processes whose root is the machine. */
export async function processesIn(root: string): Promise<string[]> {
  // Not read here: the runtime gives /proc only to programs that may do everything.
  const find = new Deno.Command("find", {
    args: ["/proc", "-mindepth", "2", "-maxdepth", "2", "-name", "root", "-lname", root, "-printf", "%h\\n"],
    stderr: "null", // Processes that end while it looks.
  });
  const { stdout } = await find.output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
}
