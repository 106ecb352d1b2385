/* libelf's error state, which we define ourselves (see elf_error.c). */
#ifndef HOSTKIT_ELF_ERROR_H
#define HOSTKIT_ELF_ERROR_H

void __libelf_seterrno(int value);
int elf_errno(void);
const char *elf_errmsg(int error);

#endif
