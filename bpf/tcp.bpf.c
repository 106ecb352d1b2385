/*
 * TCP: bytes and calls of sockets, latency of active opens, latency from a segment's arrival to its reading.
 *
 * Bytes are those that a send or receive call moved, not those it asked for or only peeked at. Where the
 * kernel does not tell them (before Linux 6.3) they are the distance that the socket's own sequence numbers
 * have moved. Sockets' time stamps lie in hashes by address, deleted when the socket is destroyed; the size
 * bounds connections that wait at one time.
 */
#include "common/core.bpf.h"
#include "tcp.h"

#include <bpf/bpf_tracing.h>

#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define MSG_PEEK 2
/* include/net/sock.h, enum sock_flags: the peer has ended its side (tcp_fin). */
#define SOCK_DONE (1 << 1)
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_CLOSE_WAIT 8
#define MAX_SOCKETS 10240

/* Counts only sockets of the network namespace with this inode number; 0: of all. */
const volatile u32 only_netns = 0;

const volatile bool count_traffic = true;
const volatile bool time_connects = true;
const volatile bool time_packets = true;
/* Whether bytes are counted by sequence numbers. */
const volatile bool by_sequence = false;

MAPPED(cpus, struct tcp_counters, 1);
MAPPED(histograms, struct histogram, TCP_HISTOGRAMS);

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SOCKETS);
	__type(key, u64);
	__type(value, u64);
} connecting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SOCKETS);
	__type(key, u64);
	__type(value, u64);
} arrived SEC(".maps");

/* Up to where a socket's bytes are counted. */
struct counted {
	u32 write_seq;
	u32 copied_seq;
};

/* Only with `by_sequence`. A socket that is pushed out by others loses at most one call's bytes. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_SOCKETS);
	__type(key, u64);
	__type(value, struct counted);
} counted SEC(".maps");

ALWAYS_INLINE bool is_ours(struct sock *sk)
{
	u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	return !only_netns || BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) == only_netns;
}

/* sk_protocol was a bit field before Linux 5.6; every kernel we support has it as a number. */
ALWAYS_INLINE bool is_tcp(struct sock *sk)
{
	return (BPF_CORE_READ(sk, sk_protocol) & 0xff) == IPPROTO_TCP;
}

ALWAYS_INLINE int on_transmit(struct sock *sk, int bytes)
{
	struct tcp_counters *counters = of_this_cpu(&cpus);

	if (bytes <= 0 || !counters || !count_traffic || !is_ours(sk))
		return 0;
	ADD(&counters->transmit_bytes, bytes);
	ADD(&counters->transmit_packets, 1);
	histogram_add(&histograms, TCP_TRANSMIT_SIZE, bytes);
	return 0;
}

ALWAYS_INLINE int on_receive(struct sock *sk, int bytes)
{
	struct tcp_counters *counters = of_this_cpu(&cpus);

	if (bytes <= 0 || !counters || !count_traffic || !is_ours(sk))
		return 0;
	ADD(&counters->receive_bytes, bytes);
	ADD(&counters->receive_packets, 1);
	histogram_add(&histograms, TCP_RECEIVE_SIZE, bytes);
	return 0;
}

/* Sets off from where the socket is now. */
ALWAYS_INLINE void count_from_here(struct tcp_sock *tcp)
{
	u64 key = (u64)tcp;
	struct counted now = {
	    .write_seq = BPF_CORE_READ(tcp, write_seq), .copied_seq = BPF_CORE_READ(tcp, copied_seq)};

	bpf_map_update_elem(&counted, &key, &now, BPF_ANY);
}

/*
 * Counts what was written to the socket since the last look, also by sendfile(2), which did not go through
 * tcp_sendmsg before Linux 6.5. `sent` is the result of the call where that is known, for a socket that is
 * looked at for the first time.
 *
 * Calls on one socket may look at the same time, and the kernels in question have no atomic exchange for us:
 * a value that was overtaken in between is not put back.
 */
ALWAYS_INLINE int on_written(struct sock *sk, int sent)
{
	struct tcp_sock *tcp = (void *)sk;
	u64 key = (u64)sk;
	struct counted *known;
	u32 now;
	s32 moved;

	if (!count_traffic || !is_ours(sk))
		return 0;
	known = bpf_map_lookup_elem(&counted, &key);
	if (!known) {
		count_from_here(tcp);
		return on_transmit(sk, sent);
	}
	now = BPF_CORE_READ(tcp, write_seq);
	moved = (s32)(now - known->write_seq);
	if (moved <= 0)
		return 0;
	known->write_seq = now;
	return on_transmit(sk, moved);
}

/*
 * Counts what was read since the last look. `copied` is what the call has copied so far, for a socket that is
 * looked at for the first time; it is no measure otherwise: a call looks each time before it waits, and may
 * only peek.
 */
ALWAYS_INLINE int on_copied(struct sock *sk, int copied)
{
	struct tcp_sock *tcp = (void *)sk;
	u64 key = (u64)sk;
	struct counted *known;
	u32 now;
	s32 moved;

	if (!count_traffic || !is_ours(sk))
		return 0;
	known = bpf_map_lookup_elem(&counted, &key);
	if (!known) {
		count_from_here(tcp);
		return on_receive(sk, copied);
	}
	now = BPF_CORE_READ(tcp, copied_seq);
	moved = (s32)(now - known->copied_seq);
	if (moved <= 0)
		return 0;
	known->copied_seq = now;
	/* The peer's end takes a number behind its last byte. */
	if (BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE && now == BPF_CORE_READ(tcp, rcv_nxt))
		moved--;
	return on_receive(sk, moved);
}

ALWAYS_INLINE int on_state(struct sock *sk, int from, int to)
{
	u64 key = (u64)sk, now, *start;
	struct tcp_counters *counters;

	if (by_sequence && count_traffic && is_tcp(sk)) {
		if (to == TCP_ESTABLISHED && is_ours(sk))
			count_from_here((void *)sk);
		/* The end is near, and not yet in the sequence. */
		else if ((from == TCP_ESTABLISHED || from == TCP_CLOSE_WAIT) && to != TCP_CLOSE_WAIT)
			on_written(sk, 0);
	}
	if (to == TCP_SYN_SENT) {
		if (!is_tcp(sk) || !is_ours(sk))
			return 0;
		now = bpf_ktime_get_ns();
		counters = of_this_cpu(&cpus);
		if (bpf_map_update_elem(&connecting, &key, &now, BPF_ANY) && counters)
			ADD(&counters->starts_dropped, 1);
		return 0;
	}
	if (from != TCP_SYN_SENT)
		return 0;
	start = bpf_map_lookup_elem(&connecting, &key);
	if (!start)
		return 0;
	now = bpf_ktime_get_ns();
	if (to == TCP_ESTABLISHED && *start <= now)
		histogram_add(&histograms, TCP_CONNECT_LATENCY, now - *start);
	bpf_map_delete_elem(&connecting, &key);
	return 0;
}

ALWAYS_INLINE int on_segment(struct sock *sk, struct sk_buff *skb)
{
	u64 key = (u64)sk, now = bpf_ktime_get_ns();
	struct tcphdr *header = (void *)BPF_CORE_READ(skb, data);
	u32 header_bytes = 4 * BPF_CORE_READ_BITFIELD_PROBED(header, doff);

	/* Only what carries data can be read; the oldest unread segment is the one that waits longest. */
	if (BPF_CORE_READ(skb, len) > header_bytes && is_ours(sk))
		bpf_map_update_elem(&arrived, &key, &now, BPF_NOEXIST);
	return 0;
}

ALWAYS_INLINE int on_read(struct sock *sk)
{
	u64 key = (u64)sk, now, *start = bpf_map_lookup_elem(&arrived, &key);

	if (!start)
		return 0;
	now = bpf_ktime_get_ns();
	if (*start <= now)
		histogram_add(&histograms, TCP_PACKET_LATENCY, now - *start);
	bpf_map_delete_elem(&arrived, &key);
	return 0;
}

ALWAYS_INLINE int on_destroy(struct sock *sk)
{
	u64 key = (u64)sk;

	bpf_map_delete_elem(&arrived, &key);
	bpf_map_delete_elem(&connecting, &key);
	if (by_sequence)
		bpf_map_delete_elem(&counted, &key);
	return 0;
}

#define SK(ctx) ((struct sock *)(ctx)[0])

/* Linux 6.3: called for every socket family with the result of the call, then its flags. */
HOOK(sock_send_length, is_tcp(SK(ctx)) ? on_transmit(SK(ctx), (int)ctx[1]) : 0)
HOOK(sock_recv_length, is_tcp(SK(ctx)) && !(ctx[2] & MSG_PEEK) ? on_receive(SK(ctx), (int)ctx[1]) : 0)
HOOK(inet_sock_set_state, on_state(SK(ctx), (int)ctx[1], (int)ctx[2]))
HOOK(tcp_probe, on_segment(SK(ctx), (struct sk_buff *)ctx[1]))
HOOK(tcp_rcv_space_adjust, on_read(SK(ctx)))
HOOK(tcp_destroy_sock, on_destroy(SK(ctx)))

/* Before Linux 6.3: when a call has written, and whenever one has read. */
SEC("fexit/tcp_sendmsg")
int BPF_PROG(sock_send_length__fentry, struct sock *sk, void *message, u64 size, int result)
{
	return on_written(sk, result);
}

SEC("fentry/tcp_cleanup_rbuf")
int BPF_PROG(sock_recv_length__fentry, struct sock *sk, int copied)
{
	return on_copied(sk, copied);
}

/*
 * At its entry a call has not written yet: it counts what the one before it wrote, and the end of the
 * connection what the last one did. A kretprobe would miss calls: it has room for few that wait.
 */
SEC("kprobe/tcp_sendmsg")
int BPF_KPROBE(sock_send_length__kprobe, struct sock *sk)
{
	return on_written(sk, 0);
}

SEC("kprobe/tcp_cleanup_rbuf")
int BPF_KPROBE(sock_recv_length__kprobe, struct sock *sk, int copied)
{
	return on_copied(sk, copied);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
