/*
 * The kernel types that our programs read, written by hand: only names and members matter, since CO-RE
 * (preserve_access_index) looks each offset up in the running kernel's BTF. Members of different kernel
 * versions stand in `___suffix` variants, which libbpf matches by the name before the suffix.
 */
#ifndef HOSTKIT_VMLINUX_H
#define HOSTKIT_VMLINUX_H

/* Tells bpf_tracing.h that registers have the kernel's names. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef signed short __s16;
typedef unsigned int __u32;
typedef signed int __s32;
typedef unsigned long long __u64;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;

enum { false = 0, true = 1 };

/* include/uapi/linux/bpf.h: what the programs here use of it. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1024 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
};

/* Linux 6.15 renamed the member. */
struct kernfs_node___renamed {
	struct kernfs_node *__parent;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	int id;
	u64 serial_nr;
	struct cgroup *cgroup;
};

struct task_group {
	struct cgroup_subsys_state css;
};

struct sched_entity {
	u64 sum_exec_runtime;
};

struct task_struct {
	unsigned int __state;
	int pid;
	int tgid;
	u64 utime;
	u64 stime;
	u64 start_boottime;
	struct sched_entity se;
	struct task_group *sched_task_group;
	char comm[16];
};

/* Before Linux 5.14. */
struct task_struct___before_rename {
	long state;
};

struct request {
	unsigned int cmd_flags;
	unsigned int __data_len;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	unsigned short skc_family;
	unsigned long skc_flags;
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_protocol;
};

struct tcp_sock {
	u32 rcv_nxt;
	u32 copied_seq;
	u32 write_seq;
};

struct sk_buff {
	unsigned int len;
	unsigned char *data;
};

/* Registers that kprobes find arguments in: x86_64, and aarch64 below. */
struct pt_regs {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long cx;
	unsigned long r8;
};

struct user_pt_regs {
	u64 regs[31];
};

struct tcphdr {
	__be16 source;
	__be16 dest;
	__be32 seq;
	__be32 ack_seq;
	__u16 res1 : 4;
	__u16 doff : 4;
	__u16 fin : 1;
	__u16 syn : 1;
	__u16 rst : 1;
	__u16 psh : 1;
	__u16 ack : 1;
	__u16 urg : 1;
	__u16 ece : 1;
	__u16 cwr : 1;
};

#pragma clang attribute pop

#endif
