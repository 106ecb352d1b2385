/** Bytes that TCP sockets' send and receive calls moved; source `sock_send_length`, `sock_recv_length`. @module */
import { optionalInteger } from "../../config/mod.ts";
import { counter, histogram, type Metric } from "../../metrics/mod.ts";
import { bpfSampler } from "../bpf/sampler.ts";
import { TCP, TCP_CPU, TCP_ROWS } from "../bpf/tcp.ts";

type Direction = "receive" | "transmit";

function traffic(unit: "bytes" | "packets", direction: Direction): Metric {
  const what = unit === "bytes" ? "Bytes moved by" : "Number of";
  return counter(`tcp_${unit}`, {
    unit,
    help: `${what} send and receive calls of TCP sockets`,
    labels: { direction },
  });
}

function size(direction: Direction): Metric {
  return histogram("tcp_size", {
    unit: "bytes",
    help: "Bytes moved by one send or receive call of a TCP socket",
    labels: { direction },
  });
}

export const tcpTraffic = bpfSampler({
  name: "tcp_traffic",
  summary: "Bytes and sizes of TCP sends and receives.",
  spec: TCP,
  settings: {
    netns: optionalInteger({
      help:
        "Counts TCP only of the network namespace with this inode number (ls -i /run/netns), for all TCP samplers.",
      example: "4026531840",
      min: 1,
      max: 0xffff_ffff,
    }),
  },
  cpuSize: TCP_CPU.size,
  host: [
    [traffic("bytes", "receive"), TCP_CPU.index.receive_bytes],
    [traffic("bytes", "transmit"), TCP_CPU.index.transmit_bytes],
    [traffic("packets", "receive"), TCP_CPU.index.receive_packets],
    [traffic("packets", "transmit"), TCP_CPU.index.transmit_packets],
  ],
  histograms: {
    map: "histograms",
    rows: [[size("receive"), TCP_ROWS.receiveSize], [size("transmit"), TCP_ROWS.transmitSize]],
  },
});
