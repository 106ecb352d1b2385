/*
 * A program that every verifier refuses, since it reads through a number; only tests load it. The loop before
 * makes the verifier's log longer than what is kept of it.
 */
#include "../../bpf/vmlinux.h"

#include <bpf/bpf_helpers.h>

SEC("raw_tp/sys_enter")
int reads_anywhere(u64 *ctx)
{
	volatile u64 *anywhere = (u64 *)ctx[0];
	volatile u64 steps = 0;

	for (int i = 0; i < 2000; i++)
		steps += 1;
	return (int)(*anywhere + steps);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
