/* Layout of tcp.bpf.c's maps, shared with lib/telemetry/bpf/tcp.ts. */
#ifndef HOSTKIT_TCP_H
#define HOSTKIT_TCP_H

struct tcp_counters {
	u64 receive_bytes;
	u64 receive_packets;
	u64 transmit_bytes;
	u64 transmit_packets;
	u64 starts_dropped;
	u64 reserved[3];
};

/* Rows of the map `histograms`. */
enum { TCP_RECEIVE_SIZE, TCP_TRANSMIT_SIZE, TCP_CONNECT_LATENCY, TCP_PACKET_LATENCY, TCP_HISTOGRAMS };

#endif
