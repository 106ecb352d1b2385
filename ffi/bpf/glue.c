/* libbpf's archive refers to `stderr` as data, renamed to this hidden variable by set-up
 * (lib/build/native.ts). */
#include <stdio.h>

extern FILE *hk_stderr;
FILE *hk_stderr;

__attribute__((constructor)) static void glue_init(void)
{
	hk_stderr = stderr;
}
