/** The object `network`: see `bpf/network.bpf.c` and `bpf/network.h`. @module */
import { layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";

/** One CPU's bank. */
export const NETWORK_CPU = layout("network.h", "network_counters", [
  "receive_bytes",
  "receive_packets",
  "transmit_bytes",
  "transmit_packets",
  ["reserved", 4],
]);

export const NETWORK: BpfSpec = {
  object: "network",
  hooks: ["netif_receive_skb", "net_dev_start_xmit"].map((event) => ({
    event,
    variants: ["tp_btf", "raw_tp"],
  })),
  uniform: false,
  mapsOf: {},
  helpersOf: {},
  sizes: ({ possibleCpus }) => ({ cpus: possibleCpus }),
  settings: () => ({}),
};
