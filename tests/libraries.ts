/**
 * Opens the native libraries before any test: they stay open for the life of the process, which the leak sanitizer
 * would blame on the first test that uses them. Every run of tests takes it with `--preload`.
 * @module
 */
import { throws } from "node:assert/strict";
import { BpfError, BpfObject } from "../ffi/bpf/mod.ts";
import { kernelPathExists } from "../ffi/files/mod.ts";
import { processStart } from "../ffi/ring/mod.ts";
import { openListener } from "../ffi/sockets/mod.ts";
import { systemConfig } from "../ffi/sys/mod.ts";

kernelPathExists("/proc/self");
processStart(1);
systemConfig("pageBytes");
openListener({ host: "127.0.0.1", port: 0 })[Symbol.dispose]();
throws(() => new BpfObject(new Uint8Array(8), { name: "none" }), BpfError);
