/* Network traffic of all interfaces, loopback included, as the stack hands packets to and takes them from
 * drivers. */
#include "common/core.bpf.h"
#include "network.h"

#include <bpf/bpf_tracing.h>

MAPPED(cpus, struct network_counters, 1);

ALWAYS_INLINE int on_receive(u32 bytes)
{
	struct network_counters *counters = of_this_cpu(&cpus);

	if (!counters)
		return 0;
	ADD(&counters->receive_bytes, bytes);
	ADD(&counters->receive_packets, 1);
	return 0;
}

ALWAYS_INLINE int on_transmit(u32 bytes)
{
	struct network_counters *counters = of_this_cpu(&cpus);

	if (!counters)
		return 0;
	ADD(&counters->transmit_bytes, bytes);
	ADD(&counters->transmit_packets, 1);
	return 0;
}

SEC("tp_btf/netif_receive_skb")
int BPF_PROG(netif_receive_skb__tp_btf, struct sk_buff *skb)
{
	return on_receive(skb->len);
}

SEC("raw_tp/netif_receive_skb")
int BPF_PROG(netif_receive_skb__raw_tp, struct sk_buff *skb)
{
	return on_receive(BPF_CORE_READ(skb, len));
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(net_dev_start_xmit__tp_btf, struct sk_buff *skb)
{
	return on_transmit(skb->len);
}

SEC("raw_tp/net_dev_start_xmit")
int BPF_PROG(net_dev_start_xmit__raw_tp, struct sk_buff *skb)
{
	return on_transmit(BPF_CORE_READ(skb, len));
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
