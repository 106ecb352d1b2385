/* Doorbells: how a ring wakes the processes that read it, and how a process waits for all of its rings at
 * once. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define NS_PER_S 1000000000
/* The table's lock is held for microseconds; a process that was stopped while it holds it must not stop the
 * others. */
#define TABLE_LOCK_TRIES 50
#define TABLE_LOCK_PAUSE_NS 100000

/* Not FUTEX_PRIVATE_FLAG: the writer and the readers are different processes. */
static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

static int map_doorbell(int fd, struct doorbell_file **out)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != (off_t)sizeof(struct doorbell_file))
		return -EBADMSG;
	at = mmap(NULL, sizeof(struct doorbell_file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	struct doorbell_file *file = at;

	if (memcmp(file->magic, DOORBELL_MAGIC, sizeof file->magic) != 0 ||
	    file->byte_order != RING_BYTE_ORDER || file->format != RING_FORMAT ||
	    file->rings != DOORBELL_RINGS) {
		munmap(at, sizeof(struct doorbell_file));
		return -EBADMSG;
	}
	*out = file;
	return 0;
}

static int open_doorbell(const char *path, struct doorbell_file **out)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK), result;

	if (fd < 0)
		return -errno;
	result = map_doorbell(fd, out);
	close(fd);
	return result;
}

/* Removes a dead process's file at `path`, so that its name can be used again. */
static int remove_dead(const char *path, char *why)
{
	struct doorbell_file *file;
	int result = open_doorbell(path, &file);

	if (result == -ENOENT)
		return 0;
	if (result < 0) {
		if (result == -EBADMSG)
			snprintf(why, RING_WHY, "it is no doorbell of format %u", RING_FORMAT);
		return result;
	}
	if (ring_process_lives(file->pid, file->start, ring_boot_id())) {
		snprintf(why, RING_WHY, "process %u waits on it", file->pid);
		result = -EBUSY;
	} else {
		result = unlink(path) < 0 ? -errno : 0;
	}
	munmap(file, sizeof *file);
	return result;
}

/* Makes the file whole before it has its name: a process that is killed meanwhile leaves nothing that is no
 * doorbell. Where files cannot be without a name it is made in its place. Returns its descriptor or -errno.
 */
static int write_file(const char *path, const struct doorbell_file *content)
{
	char folder[DOORBELL_PATH], self[32];
	char *slash = strrchr(strcpy(folder, path), '/');
	int fd, result = 0;

	if (slash == NULL)
		strcpy(folder, ".");
	else
		slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	bool named = fd < 0;
	if (named)
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, content, sizeof *content) != (ssize_t)sizeof *content)
		result = -ENOSPC;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (result == 0 && !named && linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
		result = -errno;
	if (result == 0)
		return fd;
	if (named)
		unlink(path);
	close(fd);
	return result;
}

int doorbell_create(const char *path, struct doorbell **out, char *why)
{
	struct doorbell *bell;
	struct doorbell_file begin = {
	    .magic = DOORBELL_MAGIC,
	    .byte_order = RING_BYTE_ORDER,
	    .format = RING_FORMAT,
	    .rings = DOORBELL_RINGS,
	    .pid = (uint32_t)getpid(),
	    .start = ring_process_start((uint32_t)getpid()),
	};
	int fd, result;

	if (strlen(path) >= DOORBELL_PATH) {
		snprintf(
		    why, RING_WHY, "its path has %zu bytes, at most %u fit", strlen(path), DOORBELL_PATH - 1);
		return -ENAMETOOLONG;
	}
	result = remove_dead(path, why);
	if (result < 0)
		return result;
	fd = write_file(path, &begin);
	if (fd < 0)
		return fd;
	bell = calloc(1, sizeof *bell);
	result = bell == NULL ? -ENOMEM : map_doorbell(fd, &bell->file);
	close(fd);
	if (result < 0) {
		unlink(path);
		free(bell);
		return result;
	}
	strcpy(bell->path, path);
	*out = bell;
	return 0;
}

void doorbell_free(struct doorbell *bell)
{
	if (bell == NULL)
		return;
	unlink(bell->path);
	munmap(bell->file, sizeof *bell->file);
	free(bell);
}

static bool any_bit(struct doorbell_file *file)
{
	for (uint32_t i = 0; i < DOORBELL_RINGS / 64; i++)
		if (atomic_load_explicit(&file->bits[i], memory_order_relaxed) != 0)
			return true;
	return false;
}

int doorbell_wait(struct doorbell *bell, int64_t timeout_ns)
{
	struct doorbell_file *file = bell->file;
	struct timespec limit = {.tv_sec = timeout_ns / NS_PER_S, .tv_nsec = timeout_ns % NS_PER_S};
	uint32_t seen = atomic_load(&file->word);

	if (any_bit(file))
		return 1;
	/* One who rings later sees that we sleep; one who rang before has changed the word, and the kernel
	 * sees that. */
	atomic_store(&file->sleeping, 1);
	if (timeout_ns > 0)
		futex(&file->word, FUTEX_WAIT, seen, &limit);
	atomic_store(&file->sleeping, 0);
	return any_bit(file);
}

static int ring_word(struct doorbell_file *file)
{
	atomic_fetch_add(&file->word, 1);
	if (atomic_load(&file->sleeping) == 0)
		return 0;
	return futex(&file->word, FUTEX_WAKE, INT_MAX, NULL) > 0;
}

void doorbell_poke(struct doorbell *bell)
{
	ring_word(bell->file);
}

int doorbell_take(struct doorbell *bell, uint64_t *bits)
{
	int count = 0;

	for (uint32_t i = 0; i < DOORBELL_RINGS / 64; i++) {
		_Atomic uint64_t *word = &bell->file->bits[i];

		bits[i] =
		    atomic_load_explicit(word, memory_order_relaxed) == 0 ? 0 : atomic_exchange(word, 0);
		count += __builtin_popcountll(bits[i]);
	}
	/* Cleared before the reader looks at any head: what is committed later sets its bit again. */
	atomic_thread_fence(memory_order_seq_cst);
	return count;
}

static int lock_table(int fd)
{
	struct timespec pause = {.tv_nsec = TABLE_LOCK_PAUSE_NS};

	for (int attempt = 0; attempt < TABLE_LOCK_TRIES; attempt++) {
		int result = ring_lock(fd, RING_LOCK_TABLE);

		if (result != -EBUSY)
			return result;
		nanosleep(&pause, NULL);
	}
	return -EAGAIN;
}

static int free_slot(struct ring_header *h)
{
	uint64_t mask = atomic_load(&h->bell_mask), boot_id = ring_boot_id();

	for (int i = 0; i < (int)RING_DOORBELLS; i++)
		if ((mask >> i & 1) == 0)
			return i;
	for (int i = 0; i < (int)RING_DOORBELLS; i++)
		if (!ring_process_lives(h->bells[i].pid, h->bells[i].start, boot_id))
			return i;
	return -ENOSPC;
}

/* The table is written through a mapping of its own: the reader's is read-only. */
static int open_table(struct ring_reader *r, struct ring_header **out)
{
	void *at;
	int result;

	if (!r->writable)
		return -EACCES;
	at = mmap(NULL, RING_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, r->map.fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	result = lock_table(r->map.fd);
	if (result < 0) {
		munmap(at, RING_HEADER_BYTES);
		return result;
	}
	*out = at;
	return 0;
}

static void close_table(struct ring_reader *r, struct ring_header *h)
{
	ring_unlock(r->map.fd, RING_LOCK_TABLE);
	munmap(h, RING_HEADER_BYTES);
}

int ring_register(struct ring_reader *r, struct doorbell *bell, uint32_t bit)
{
	struct ring_header *h;
	int slot, result;

	if (bit >= DOORBELL_RINGS || r->slot >= 0)
		return -EINVAL;
	result = open_table(r, &h);
	if (result < 0)
		return result;
	slot = free_slot(h);
	if (slot >= 0) {
		struct ring_bell *entry = &h->bells[slot];
		/* A process that died here has left the generation odd. */
		uint32_t generation = atomic_load(&entry->generation) | 1;

		atomic_store(&entry->generation, generation);
		atomic_thread_fence(memory_order_seq_cst);
		entry->bit = bit;
		entry->pid = (uint32_t)getpid();
		entry->start = bell->file->start;
		strcpy(entry->path, bell->path);
		generation += generation == UINT32_MAX ? 3 : 1; /* 0 is no generation */
		atomic_store(&entry->generation, generation);
		atomic_fetch_or(&h->bell_mask, 1ull << slot);
		atomic_thread_fence(memory_order_seq_cst);
		r->slot = slot;
	}
	close_table(r, h);
	return slot < 0 ? slot : 0;
}

int ring_unregister(struct ring_reader *r, struct doorbell *bell)
{
	struct ring_header *h;
	int result;

	if (r->slot < 0)
		return 0;
	result = open_table(r, &h);
	if (result < 0)
		return result;
	if (strcmp(h->bells[r->slot].path, bell->path) == 0)
		atomic_fetch_and(&h->bell_mask, ~(1ull << r->slot));
	r->slot = -1;
	close_table(r, h);
	return 0;
}

/* Takes over what the table says now; a file that cannot be opened belongs to a process that is gone. */
static void open_view(struct ring_writer *w, int slot, uint32_t generation)
{
	struct ring_bell *entry = &w->map.header->bells[slot];
	struct bell_view *view = &w->views[slot];
	char path[DOORBELL_PATH];

	ring_bells_close(w, 1ull << slot);
	if (generation % 2 != 0)
		return;
	memcpy(path, entry->path, sizeof path);
	path[sizeof path - 1] = '\0';
	view->bit = entry->bit;
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load(&entry->generation) != generation || view->bit >= DOORBELL_RINGS)
		return;
	view->generation = generation;
	w->opened |= 1ull << slot;
	if (open_doorbell(path, &view->file) < 0)
		view->file = NULL;
}

void ring_bells_close(struct ring_writer *w, uint64_t which)
{
	for (uint64_t left = which & w->opened; left != 0; left &= left - 1) {
		struct bell_view *view = &w->views[__builtin_ctzll(left)];

		if (view->file != NULL)
			munmap(view->file, sizeof *view->file);
		*view = (struct bell_view){0};
	}
	w->opened &= ~which;
}

static int ring_view(struct bell_view *view)
{
	_Atomic uint64_t *word = &view->file->bits[view->bit / 64];
	uint64_t bit = 1ull << view->bit % 64;

	/* Set and not yet taken: its process will look at our head after it has cleared the bit. */
	if ((atomic_load_explicit(word, memory_order_relaxed) & bit) != 0)
		return 0;
	atomic_fetch_or(word, bit);
	return ring_word(view->file);
}

int ring_bells(struct ring_writer *w)
{
	struct ring_header *h = w->map.header;
	int woken = 0;

	/* Between the commit and the look at the table: a reader that registers now either is seen or sees
	 * the commit. */
	atomic_thread_fence(memory_order_seq_cst);
	uint64_t mask =
	    atomic_load_explicit(&h->bell_mask, memory_order_relaxed) & ((1ull << RING_DOORBELLS) - 1);

	if ((w->opened & ~mask) != 0)
		ring_bells_close(w, w->opened & ~mask);
	for (uint64_t left = mask; left != 0; left &= left - 1) {
		int slot = __builtin_ctzll(left);
		uint32_t generation = atomic_load_explicit(&h->bells[slot].generation, memory_order_acquire);

		if (generation != w->views[slot].generation)
			open_view(w, slot, generation);
		if (w->views[slot].file != NULL)
			woken += ring_view(&w->views[slot]);
	}
	return woken;
}
