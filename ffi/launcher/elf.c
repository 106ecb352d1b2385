#include "elf.h"
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The kernel refuses executables with more. */
#define MAX_HEADERS (65536 / sizeof(Elf64_Phdr))

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool read_interpreter(int fd, char interpreter[PATH_MAX])
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (!read_at(fd, &head, sizeof(head), 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phentsize != sizeof(part))
		return false;
	for (size_t at = 0; at < head.e_phnum && at < MAX_HEADERS; at++) {
		if (!read_at(fd, &part, sizeof(part), head.e_phoff + at * sizeof(part)))
			return false;
		if (part.p_type != PT_INTERP)
			continue;
		return part.p_filesz > 1 && part.p_filesz <= PATH_MAX &&
		       read_at(fd, interpreter, part.p_filesz, part.p_offset) &&
		       interpreter[part.p_filesz - 1] == '\0';
	}
	return false;
}

bool elf_interpreter(const char *path, char interpreter[PATH_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool found = read_interpreter(fd, interpreter);
	close(fd);
	return found;
}
