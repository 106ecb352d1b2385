/** Bytes and packets of all interfaces; source `netif_receive_skb`, `net_dev_start_xmit`. @module */
import { counter, type Metric } from "../../metrics/mod.ts";
import { NETWORK, NETWORK_CPU } from "../bpf/network.ts";
import { bpfSampler } from "../bpf/sampler.ts";

function traffic(unit: "bytes" | "packets", direction: "receive" | "transmit"): Metric {
  const verb = direction === "receive" ? "received" : "transmitted";
  return counter(`network_${unit}`, {
    unit,
    help: `${unit} ${verb} by all interfaces`,
    labels: { direction },
  });
}

export const networkTraffic = bpfSampler({
  name: "network_traffic",
  summary: "Bytes and packets of all interfaces.",
  spec: NETWORK,
  cpuSize: NETWORK_CPU.size,
  host: [
    [traffic("bytes", "receive"), NETWORK_CPU.index.receive_bytes],
    [traffic("bytes", "transmit"), NETWORK_CPU.index.transmit_bytes],
    [traffic("packets", "receive"), NETWORK_CPU.index.receive_packets],
    [traffic("packets", "transmit"), NETWORK_CPU.index.transmit_packets],
  ],
});
