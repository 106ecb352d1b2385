/* Layout of network.bpf.c's map, shared with lib/telemetry/bpf/network.ts. */
#ifndef HOSTKIT_NETWORK_H
#define HOSTKIT_NETWORK_H

struct network_counters {
	u64 receive_bytes;
	u64 receive_packets;
	u64 transmit_bytes;
	u64 transmit_packets;
	u64 reserved[4];
};

#endif
