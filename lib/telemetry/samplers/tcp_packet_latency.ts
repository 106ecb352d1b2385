/** Time from a segment's arrival to its reading; source `tcp_probe`, `tcp_rcv_space_adjust`. @module */
import { histogram } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { TCP, TCP_ROWS } from "../bpf/tcp.ts";

const LATENCY = histogram("tcp_packet_latency", {
  unit: "nanoseconds",
  help: "Time from the arrival of the oldest unread data of a socket to its reading",
});

export const tcpPacketLatency = bpfSampler({
  name: "tcp_packet_latency",
  summary: "Time from the arrival of TCP data to its reading.",
  spec: TCP,
  histograms: { map: "histograms", rows: [[LATENCY, TCP_ROWS.packetLatency]] },
});
