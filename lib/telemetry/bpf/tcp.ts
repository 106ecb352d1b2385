/** The object `tcp`: see `bpf/tcp.bpf.c` and `bpf/tcp.h`. @module */
import { flag, layout } from "./layout.ts";
import type { BpfSpec } from "./source.ts";

/** One CPU's bank. */
export const TCP_CPU = layout("tcp.h", "tcp_counters", [
  "receive_bytes",
  "receive_packets",
  "transmit_bytes",
  "transmit_packets",
  "starts_dropped",
  ["reserved", 3],
]);

/** Rows of the map `histograms`. */
export const TCP_ROWS = { receiveSize: 0, transmitSize: 1, connectLatency: 2, packetLatency: 3 } as const;
const ROW_COUNT = 4;

export const TCP: BpfSpec = {
  object: "tcp",
  hooks: [
    { event: "sock_send_length", variants: ["tp_btf", "raw_tp", "fentry", "kprobe"] },
    { event: "sock_recv_length", variants: ["tp_btf", "raw_tp", "fentry", "kprobe"] },
    { event: "inet_sock_set_state", variants: ["tp_btf", "raw_tp"] },
    { event: "tcp_probe", variants: ["tp_btf", "raw_tp"] },
    { event: "tcp_rcv_space_adjust", variants: ["tp_btf", "raw_tp"] },
    { event: "tcp_destroy_sock", variants: ["tp_btf", "raw_tp"] },
  ],
  uniform: false,
  mapsOf: { fentry: ["counted"], kprobe: ["counted"] },
  helpersOf: {},
  sizes: ({ possibleCpus, shards }) => ({ cpus: possibleCpus, histograms: ROW_COUNT * shards }),
  settings: (enabled, settings, { variants }) => ({
    by_sequence: flag(variants.has("fentry") || variants.has("kprobe")),
    only_netns: Uint32Array.of(Number(settings.tcp_traffic?.netns ?? 0)),
    count_traffic: flag(enabled.has("tcp_traffic")),
    time_connects: flag(enabled.has("tcp_connect_latency")),
    time_packets: flag(enabled.has("tcp_packet_latency")),
  }),
};
