/** Interfaces and TCP. @module */
import { buckets, percentiles, type SectionDef } from "./chart_def.ts";

export const NETWORK: SectionDef = {
  id: "network",
  title: "Network",
  groups: [
    {
      title: "Interfaces",
      charts: [
        {
          id: "bytes",
          title: "Traffic",
          unit: "bytes/s",
          help: "Bytes through all interfaces.",
          queries: [{ query: "sum by (direction) ($rate(network_bytes))", name: "{{direction}}" }],
        },
        {
          id: "packets",
          title: "Packets",
          unit: "per second",
          help: "Packets through all interfaces.",
          queries: [{ query: "sum by (direction) ($rate(network_packets))", name: "{{direction}}" }],
        },
        {
          id: "drops",
          title: "Dropped",
          unit: "per second",
          help: "Packets that were dropped, busy transmissions and timeouts.",
          queries: [
            { query: "sum($rate(network_drop))", name: "dropped" },
            { query: "sum($rate(network_transmit_busy))", name: "busy" },
            { query: "sum($rate(network_transmit_timeout))", name: "timed out" },
          ],
        },
      ],
    },
    {
      title: "TCP",
      charts: [
        {
          id: "tcp_bytes",
          title: "TCP traffic",
          unit: "bytes/s",
          help: "Payload that programs sent and received.",
          queries: [{ query: "sum by (direction) ($rate(tcp_bytes))", name: "{{direction}}" }],
        },
        {
          id: "tcp_packets",
          title: "TCP segments",
          unit: "per second",
          help: "Segments sent and received.",
          queries: [{ query: "sum by (direction) ($rate(tcp_packets))", name: "{{direction}}" }],
        },
        {
          id: "retransmit",
          title: "Retransmissions",
          unit: "per second",
          help: "Segments that were sent again.",
          queries: [{ query: "sum($rate(tcp_retransmit))", name: "retransmitted" }],
        },
        percentiles({
          id: "tcp_size",
          title: "TCP sizes",
          unit: "bytes",
          help: "Bytes of each send or receive.",
        }, "tcp_size"),
      ],
    },
    {
      title: "TCP latency",
      charts: [
        percentiles({
          id: "packet_latency",
          title: "Packet latency",
          unit: "ns",
          help: "From a segment's arrival until the program has read it.",
        }, "tcp_packet_latency"),
        buckets({
          id: "packet_latency_heat",
          title: "Packet latency, all",
          unit: "ns",
          help: "Every segment, by how long it waited for its program.",
        }, "tcp_packet_latency"),
        percentiles({
          id: "connect_latency",
          title: "Connect latency",
          unit: "ns",
          help: "From the first segment of a connection until it stands.",
        }, "tcp_connect_latency"),
        percentiles({
          id: "srtt",
          title: "Round-trip time",
          unit: "ns",
          help: "Smoothed round-trip time of received segments.",
        }, "tcp_srtt"),
        percentiles({
          id: "jitter",
          title: "Jitter",
          unit: "ns",
          help: "Mean deviation of the round-trip time.",
        }, "tcp_jitter"),
      ],
    },
  ],
};
