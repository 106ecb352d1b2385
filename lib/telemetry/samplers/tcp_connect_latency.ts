/** Time from SYN to ESTABLISHED of active opens; source `inet_sock_set_state`. @module */
import { histogram } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { TCP, TCP_ROWS } from "../bpf/tcp.ts";

const LATENCY = histogram("tcp_connect_latency", {
  unit: "nanoseconds",
  help: "Time from the first SYN of an active open to its establishment",
});

export const tcpConnectLatency = bpfSampler({
  name: "tcp_connect_latency",
  summary: "Time that active TCP opens take.",
  spec: TCP,
  histograms: { map: "histograms", rows: [[LATENCY, TCP_ROWS.connectLatency]] },
});
