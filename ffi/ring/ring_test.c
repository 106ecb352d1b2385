/* Tests of the C side; with arguments it is another process of other tests: see peer_test.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "records_test.h"

int peer(int argc, char **argv);

static char folder[] = "/tmp/hkring-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
	return path[turn];
}

static void test_round_trip_and_laps(void)
{
	_Alignas(8) uint8_t buffer[1 << 14];
	struct ring_writer *w = create(in_folder("a"), 1 << 14, RING_CONTINUE);
	struct ring_reader *r = open_reader(in_folder("a"));
	struct tally t = {0};
	struct ring_status status;
	int64_t got;

	CHECK(ring_read(r, buffer, sizeof buffer) == 0 && !ring_pending(r));
	CHECK(ring_reader_state(r) == RING_LIVE && ring_reader_epoch(r) == 1 && ring_reader_slice(r) == 2048);
	CHECK(ring_read(r, buffer + 1, 4096) == -EINVAL); /* not aligned */
	for (int round = 0; round < 500; round++) {
		write_records(w, (uint64_t)round * 9, 9, 3);
		CHECK(ring_pending(r));
		while ((got = ring_read(r, buffer, sizeof buffer)) > 0)
			take_records(&t, buffer, (uint64_t)got);
		CHECK(got == 0);
	}
	CHECK(t.seen == 4500 && t.torn == 0 && t.gaps == 0);
	write_records(w, 4500, 500, 500);
	CHECK(ring_read(r, buffer, sizeof buffer) == RING_LAPPED);
	t.lapped = true;
	while ((got = ring_read(r, buffer, sizeof buffer)) > 0)
		take_records(&t, buffer, (uint64_t)got);
	CHECK(got == 0 && t.next == 5000 && t.torn == 0 && t.gaps == 1 && t.silent == 0 && t.seen > 4520);
	ring_reader_status(r, &status);
	CHECK(status.laps == 1 && status.lost_bytes > 0 && status.alive && status.state == RING_LIVE);
	CHECK(status.position == ring_writer_position(w) && ring_reader_position(r) == status.head);
	CHECK(ring_seek(r, status.head + 8) == -ERANGE && ring_seek(r, 0) == 0);
	CHECK(ring_read(r, buffer, sizeof buffer) == RING_LAPPED);
	CHECK(ring_seek_back(r, 0) == status.head);
	ring_writer_free(w);
	ring_reader_status(r, &status);
	CHECK(status.state == RING_CLOSED && ring_pending(r));
	ring_reader_free(r);
}

/* The case that a race would hit seldom: what is being copied is announced to be overwritten, and not yet
 * committed. */
static void test_an_announcement_alone_laps(void)
{
	_Alignas(8) uint8_t buffer[4096];
	_Alignas(8) uint32_t record[32] = {120, KIND};
	struct ring_writer *w = create(in_folder("e"), 4096, RING_CONTINUE);
	struct ring_reader *r = open_reader(in_folder("e"));

	for (int i = 0; i < 32; i++)
		CHECK(ring_write(w, (uint8_t *)record, sizeof record) == sizeof record);
	CHECK(ring_read(r, buffer, sizeof buffer) == 1024 && ring_seek(r, 0) == 0);
	CHECK(ring_begin(w, 120) != NULL);
	CHECK(ring_read(r, buffer, sizeof buffer) == RING_LAPPED && ring_reader_position(r) == 2048);
	ring_reader_free(r);
	ring_writer_free(w);
}

static void test_bad_batches_write_nothing(void)
{
	struct ring_writer *w = create(in_folder("b"), 4096, RING_CONTINUE);
	_Alignas(8) uint32_t batch[256] = {8, KIND, 1, 2, 8, 0, 3, 4};
	uint8_t *payload;

	CHECK(ring_write(w, (uint8_t *)batch, 32) == -EINVAL); /* kind 0 */
	batch[5] = RING_PAD;
	CHECK(ring_write(w, (uint8_t *)batch, 32) == -EINVAL);
	batch[5] = KIND;
	CHECK(
	    ring_write(w, (uint8_t *)batch, 28) == -EINVAL && ring_write(w, (uint8_t *)batch, 20) == -EINVAL);
	CHECK(ring_write(w, (uint8_t *)batch + 4, 16) == -EINVAL); /* not aligned */
	batch[4] = 4096 / RING_SLICES - 7;
	CHECK(ring_write(w, (uint8_t *)batch, sizeof batch) == -EINVAL);
	CHECK(ring_writer_position(w) == 0);
	CHECK(ring_begin(w, 4096 / RING_SLICES - 7) == NULL && ring_end(w, KIND, 0) == -EINVAL);
	payload = ring_begin(w, 100);
	CHECK(payload != NULL && ring_write(w, (uint8_t *)batch, 16) == -EINVAL);
	memset(payload, 'x', 50);
	CHECK(ring_end(w, KIND, 50) == 0 && ring_writer_position(w) == 64 && ring_notify(w) == 0);
	ring_writer_free(w);
}

static void test_writers_exclude_and_follow_each_other(void)
{
	_Alignas(8) uint8_t buffer[4096];
	struct ring_writer *other = NULL, *w = create(in_folder("c"), 4096, RING_CONTINUE);
	struct ring_reader *r = open_reader(in_folder("c"));
	struct ring_status status;

	CHECK(ring_create(in_folder("c"), 4096, RING_CONTINUE, &other, why) == -EBUSY);
	CHECK(strstr(why, "writes to it") != NULL);
	write_records(w, 0, 1, 1);
	ring_writer_free(w);
	w = create(in_folder("c"), 4096, RING_CONTINUE);
	CHECK(ring_writer_epoch(w) == 2 && ring_writer_position(w) == 24);
	write_records(w, 1, 1, 1);
	CHECK(ring_read(r, buffer, sizeof buffer) == 24);
	CHECK(ring_read(r, buffer, sizeof buffer) == RING_RESTARTED);
	CHECK(ring_read(r, buffer, sizeof buffer) == 32);
	ring_writer_free(w);
	w = create(in_folder("c"), 8192, RING_CONTINUE); /* another size: another file */
	CHECK(ring_writer_epoch(w) == 3 && ring_writer_position(w) == 56);
	ring_reader_status(r, &status);
	CHECK(status.state == RING_REPLACED);
	ring_reader_free(r);
	ring_writer_free(w);
}

/* What stands there is refused, named and left as it is. */
static void refused(
    const char *name, const void *at, size_t bytes, off_t offset, off_t size, int error, const char *words)
{
	struct ring_writer *w = create(in_folder(name), 4096, RING_REPLACE);
	struct ring_reader *r = NULL;
	int fd = open(in_folder(name), O_RDWR);

	write_records(w, 0, 1, 1);
	ring_writer_free(w);
	CHECK(pwrite(fd, at, bytes, offset) == (ssize_t)bytes && ftruncate(fd, size) == 0 && close(fd) == 0);
	why[0] = '\0';
	CHECK(ring_open(in_folder(name), &r, why) == error && strstr(why, words) != NULL);
	CHECK(ring_create(in_folder(name), 4096, RING_CONTINUE, &w, why) == error);
	unlink(in_folder(name));
}

static void test_bad_files_are_refused(void)
{
	const off_t whole = RING_HEADER_BYTES + 4096;
	uint32_t two = 2, swapped = 0x04030201;
	uint64_t odd = 3;
	struct ring_reader *r = NULL;

	refused("foreign", "SQLite 3", 8, 0, whole, -EBADMSG, "no ring");
	refused(
	    "newer", &two, 4, offsetof(struct ring_header, format), whole, -EPROTONOSUPPORT, "format is 2");
	refused("order", &swapped, 4, offsetof(struct ring_header, byte_order), whole, -EILSEQ, "byte order");
	refused("short", "h", 1, 0, whole - 1, -ENODATA, "cut short: 12287 bytes, its header says 12288");
	refused("header", "h", 1, 0, 100, -ENODATA, "cut short: 100 bytes");
	refused("empty", "h", 1, 0, 0, -ENODATA, "empty");
	refused(
	    "data", &odd, 8, offsetof(struct ring_header, data_bytes), whole, -EBADMSG, "header is damaged");
	refused(
	    "head", &odd, 8, offsetof(struct ring_header, head), whole, -EBADMSG, "positions are damaged");
	CHECK(ring_open("/dev/null", &r, why) == -EBADMSG && strstr(why, "regular") != NULL);
	CHECK(ring_open(in_folder("none"), &r, why) == -ENOENT);
}

/* Nothing is lapped for ever: neither lost nor found, again and again. */
static void test_damaged_announcement(void)
{
	uint64_t buffer[64], far = 1 << 20;
	struct ring_writer *w = create(in_folder("ahead"), 4096, RING_CONTINUE);
	struct ring_reader *r = open_reader(in_folder("ahead"));
	int fd = open(in_folder("ahead"), O_RDWR);

	write_records(w, 0, 1, 1);
	CHECK(pwrite(fd, &far, sizeof(far), offsetof(struct ring_header, reserve)) == sizeof(far));
	CHECK(close(fd) == 0);
	CHECK(ring_read(r, (uint8_t *)buffer, sizeof(buffer)) == -EBADMSG && ring_reader_position(r) == 0);
	ring_reader_free(r);
	ring_writer_free(w);
	refused("reserve", &(uint64_t){1024}, 8, offsetof(struct ring_header, reserve),
	    RING_HEADER_BYTES + 4096, -EBADMSG, "positions are damaged");
}

static void test_doorbell(void)
{
	uint64_t bits[DOORBELL_RINGS / 64];
	struct doorbell *bell, *second = NULL;
	struct ring_writer *w = create(in_folder("d"), 4096, RING_CONTINUE);
	struct ring_reader *r = open_reader(in_folder("d"));

	CHECK(doorbell_create(in_folder("bell"), &bell, why) == 0);
	CHECK(doorbell_create(in_folder("bell"), &second, why) == -EBUSY);
	CHECK(ring_register(r, bell, DOORBELL_RINGS) == -EINVAL && ring_register(r, bell, 77) == 0);
	CHECK(ring_register(r, bell, 78) == -EINVAL);
	CHECK(doorbell_wait(bell, 1000) == 0);
	write_records(w, 0, 3, 1);
	CHECK(doorbell_wait(bell, 60ll * 1000000000) == 1 && doorbell_take(bell, bits) == 1);
	CHECK(bits[1] == 1ull << 13 && doorbell_take(bell, bits) == 0);
	doorbell_poke(bell);
	CHECK(doorbell_wait(bell, 0) == 0);
	CHECK(ring_unregister(r, bell) == 0 && ring_unregister(r, bell) == 0);
	write_records(w, 3, 1, 1);
	CHECK(doorbell_take(bell, bits) == 0);
	ring_reader_free(r);
	ring_writer_free(w);
	doorbell_free(bell);
	CHECK(access(in_folder("bell"), F_OK) < 0);
}

static const char *newest_segment(void)
{
	static char newest[64];
	DIR *log = opendir(in_folder("log"));
	struct dirent *entry;

	strcpy(newest, "log/");
	while ((entry = readdir(log)) != NULL)
		if (strcmp(entry->d_name, newest + 4) > 0)
			snprintf(newest + 4, sizeof newest - 4, "%.40s", entry->d_name);
	closedir(log);
	return in_folder(newest);
}

static void test_segments(void)
{
	_Alignas(8) uint8_t buffer[4096];
	int error;
	struct segments *s = NULL;
	struct ring_reader *r;
	struct ring_status status;

	CHECK(mkdir(in_folder("log"), 0700) == 0);
	CHECK(segments_open(in_folder("log"), 4096, 4096, 0, &s, why) == -EINVAL);
	CHECK(segments_open(in_folder("log"), 4096, 3 * (4096 + 8192), SEGMENTS_DROP_OLDEST, &s, why) == 0);
	segments_child_started(s, 42, 4711);
	for (uint64_t n = 0; n < 400; n++) {
		uint64_t bytes = put_record(buffer, n);

		CHECK(segments_write(s, buffer, bytes) == (int64_t)bytes);
	}
	CHECK(segments_dropped_bytes(s) > 0);
	uint8_t *payload = segments_begin(s, 400, &error);

	CHECK(payload != NULL && segments_begin(s, 513, &error) == NULL && error == -EINVAL);
	memset(payload, 'y', 400);
	CHECK(segments_end(s, KIND, 400) == 0 && segments_notify(s) == 0);
	segments_child_exited(s, 9);
	segments_beat(s);
	uint64_t end = segments_position(s);

	segments_free(s);
	CHECK(segments_open(in_folder("log"), 4096, 3 * (4096 + 8192), SEGMENTS_BLOCK, &s, why) == 0);
	CHECK(segments_position(s) == end);
	do {
		payload = segments_begin(s, 500, &error);
	} while (payload != NULL && segments_end(s, KIND, 500) == 0);
	CHECK(error == -EAGAIN && segments_write(s, buffer, put_record(buffer, 30)) == -EAGAIN);
	r = open_reader(newest_segment());
	ring_reader_status(r, &status);
	CHECK(status.child_pid == 42 && status.child_wait_status == 9 &&
	      status.child_state == RING_CHILD_EXITED);
	CHECK(status.epoch == 2 && status.dropped_bytes == segments_dropped_bytes(s));
	ring_reader_free(r);
	segments_free(s);
}

/* A process that can open nothing takes no other for dead that is not. */
static void test_life_without_descriptors(void)
{
	struct rlimit before, none;
	struct ring_status status;
	struct ring_writer *w = create(in_folder("mine"), 4096, RING_CONTINUE);
	pid_t child = fork();

	if (child == 0) {
		create(in_folder("theirs"), 4096, RING_CONTINUE);
		_exit(0);
	}
	CHECK(child > 0 && waitpid(child, NULL, 0) == child);
	struct ring_reader *mine = open_reader(in_folder("mine"));
	struct ring_reader *theirs = open_reader(in_folder("theirs"));
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	ring_reader_status(mine, &status);
	CHECK(status.alive);
	ring_reader_status(theirs, &status);
	CHECK(!status.alive);
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	ring_reader_free(mine);
	ring_reader_free(theirs);
	ring_writer_free(w);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return peer(argc - 1, argv + 1);
	CHECK(mkdtemp(folder) != NULL);
	test_round_trip_and_laps();
	test_an_announcement_alone_laps();
	test_bad_batches_write_nothing();
	test_writers_exclude_and_follow_each_other();
	test_bad_files_are_refused();
	test_damaged_announcement();
	test_doorbell();
	test_segments();
	test_life_without_descriptors();
	char command[64];

	snprintf(command, sizeof command, "rm -r %s", folder);
	CHECK(system(command) == 0);
	puts("ring_test: ok");
	return 0;
}

#include "peer_test.c"
