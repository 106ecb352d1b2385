/** Bytes and packets of all interfaces; source `netif_receive_skb`, `net_dev_start_xmit`. @module */
import { counter, type Metric } from "../../metrics/mod.ts";
import { NETWORK, NETWORK_CPU } from "../bpf/network.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { netDevReader } from "../fallbacks.ts";

function traffic(unit: "bytes" | "packets", direction: "receive" | "transmit"): Metric {
  return counter(`network_${unit}`, {
    unit,
    help: `${unit === "bytes" ? "Bytes" : "Packets"} that all interfaces received or transmitted`,
    labels: { direction },
  });
}

const METRICS = {
  receiveBytes: traffic("bytes", "receive"),
  receivePackets: traffic("packets", "receive"),
  transmitBytes: traffic("bytes", "transmit"),
  transmitPackets: traffic("packets", "transmit"),
};

export const networkTraffic = bpfSampler({
  name: "network_traffic",
  summary: "Bytes and packets of all interfaces.",
  spec: NETWORK,
  cpuSize: NETWORK_CPU.size,
  host: [
    [METRICS.receiveBytes, NETWORK_CPU.index.receive_bytes],
    [METRICS.receivePackets, NETWORK_CPU.index.receive_packets],
    [METRICS.transmitBytes, NETWORK_CPU.index.transmit_bytes],
    [METRICS.transmitPackets, NETWORK_CPU.index.transmit_packets],
  ],
  instead: {
    from: "/proc/net/dev (this network namespace)",
    open: ({ procfs }) => netDevReader("network_traffic", METRICS, procfs),
  },
});
