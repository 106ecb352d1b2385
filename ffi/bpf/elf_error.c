/*
 * libelf's three error functions. The archive's own object keeps its state in thread-local memory of the
 * local-exec model, which a shared library cannot hold; being found first, these keep it from being linked.
 */
#include "elf_error.h"

#include <stdio.h>

static __thread int last_error;

void __libelf_seterrno(int value)
{
	last_error = value;
}

int elf_errno(void)
{
	int value = last_error;

	last_error = 0;
	return value;
}

/* libelf's own texts are in the object that this replaces; its numbers are documented beside them. */
const char *elf_errmsg(int error)
{
	static __thread char text[32];

	if (error == 0 && last_error == 0)
		return NULL;
	snprintf(text, sizeof(text), "libelf error %d", error > 0 ? error : last_error);
	return text;
}
