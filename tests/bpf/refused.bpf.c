/* A program that every verifier refuses, since it reads through a number; only tests load it. */
#include "../../bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("raw_tp/sys_enter")
int reads_anywhere(u64 *ctx)
{
	volatile u64 *anywhere = (u64 *)ctx[0];

	return (int)*anywhere;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
