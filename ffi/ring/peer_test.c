/*
 * The other process of tests and benches, part of ring_test:
 *   write PATH DATA_BYTES RECORDS   self-checking records at full speed, after a byte on standard input
 *   read PATH RECORDS               reads up to the last of them, checks each, prints what it saw
 *   once PATH DATA_BYTES FROM       one record with that number
 *   die PATH DATA_BYTES             writes one record, announces another and is killed
 *   pulse PATH DATA_BYTES COUNT US  one record with the monotonic time every US microseconds
 *   rings FOLDER COUNT DATA_BYTES   one record into each of COUNT rings for every byte on standard input
 *   bells PATH FOLDER               fills the ring's table of doorbells and is killed
 *   log FOLDER DATA_BYTES RETAIN_BYTES RECORDS   self-checking records into segments
 *   bench PATH RECORDS              speeds as one line of JSON; leaves PATH and the folder PATH.log
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define BENCH_DATA_BYTES (4u << 20)
#define BENCH_PAYLOAD 248u /* with the record's header 256 bytes */
#define BENCH_BATCH 64u

static void await_byte(void)
{
	char byte;

	CHECK(read(0, &byte, 1) >= 0);
}

static int peer_write(const char *path, uint64_t data_bytes, uint64_t records)
{
	struct ring_writer *w = create(path, data_bytes, RING_CONTINUE);

	puts("ready");
	fflush(stdout);
	await_byte();
	write_records(w, 0, records, 64);
	ring_writer_free(w);
	return 0;
}

static int peer_read(const char *path, uint64_t records)
{
	_Alignas(8) static uint8_t buffer[1 << 18];
	struct ring_reader *r = open_reader(path);
	struct ring_status status;
	struct tally t = {0};

	puts("ready");
	fflush(stdout);
	while (t.next < records) {
		int64_t got = ring_read(r, buffer, sizeof buffer);

		if (got > 0)
			take_records(&t, buffer, (uint64_t)got);
		else if (got == RING_LAPPED)
			t.lapped = true;
		else
			sched_yield();
	}
	ring_reader_status(r, &status);
	printf("{\"seen\":%" PRIu64 ",\"torn\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"silent\":%" PRIu64
	       ",\"laps\":%" PRIu64 ",\"lostBytes\":%" PRIu64 "}\n",
	    t.seen, t.torn, t.gaps, t.silent, status.laps, status.lost_bytes);
	ring_reader_free(r);
	return 0;
}

static int peer_once(const char *path, uint64_t data_bytes, uint64_t from)
{
	struct ring_writer *w = create(path, data_bytes, RING_CONTINUE);

	write_records(w, from, 1, 1);
	ring_writer_free(w);
	return 0;
}

static int peer_die(const char *path, uint64_t data_bytes)
{
	struct ring_writer *w = create(path, data_bytes, RING_CONTINUE);
	uint8_t *payload;

	write_records(w, 0, 1, 1);
	payload = ring_begin(w, 100);
	CHECK(payload != NULL);
	memset(payload, 'x', 50);
	return raise(SIGKILL);
}

static int peer_pulse(const char *path, uint64_t data_bytes, uint64_t count, uint64_t pause_us)
{
	struct ring_writer *w = create(path, data_bytes, RING_CONTINUE);
	struct timespec pause = {
	    .tv_sec = (time_t)(pause_us / 1000000), .tv_nsec = (long)(pause_us % 1000000 * 1000)};

	puts("ready");
	fflush(stdout);
	await_byte();
	for (uint64_t i = 0; i < count; i++) {
		nanosleep(&pause, NULL);
		uint64_t record[2] = {8 | (uint64_t)KIND << 32, ring_clock_ns(CLOCK_MONOTONIC)};

		ring_write(w, (uint8_t *)record, sizeof record);
	}
	ring_writer_free(w);
	return 0;
}

static int peer_rings(const char *path, uint64_t count, uint64_t data_bytes)
{
	struct ring_writer **writers = calloc(count, sizeof *writers);
	char name[512], byte;

	for (uint64_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "%s/%" PRIu64 ".ring", path, i);
		writers[i] = create(name, data_bytes, RING_CONTINUE);
	}
	puts("ready");
	fflush(stdout);
	for (uint64_t n = 0; read(0, &byte, 1) == 1; n++)
		for (uint64_t i = 0; i < count; i++)
			write_records(writers[i], n, 1, 1);
	for (uint64_t i = 0; i < count; i++)
		ring_writer_free(writers[i]);
	free(writers);
	return 0;
}

static int peer_bells(const char *path, const char *bells)
{
	char name[DOORBELL_PATH];

	for (uint32_t i = 0; i < RING_DOORBELLS; i++) {
		struct doorbell *bell = NULL;

		snprintf(name, sizeof name, "%s/%u.bell", bells, i);
		CHECK(doorbell_create(name, &bell, why) == 0);
		CHECK(ring_register(open_reader(path), bell, i) == 0);
	}
	return raise(SIGKILL);
}

static int peer_log(const char *path, uint64_t data_bytes, uint64_t retain_bytes, uint64_t records)
{
	struct segments *s = NULL;
	_Alignas(8) uint8_t record[512];

	CHECK(segments_open(path, data_bytes, retain_bytes, SEGMENTS_DROP_OLDEST, &s, why) == 0);
	segments_child_started(s, (uint32_t)getpid(), ring_process_start((uint32_t)getpid()));
	puts("ready");
	fflush(stdout);
	await_byte();
	for (uint64_t n = 0; n < records; n++) {
		uint64_t bytes = put_record(record, n);

		CHECK(segments_write(s, record, bytes) == (int64_t)bytes);
	}
	segments_child_exited(s, 7 << 8);
	segments_free(s);
	return 0;
}

static double seconds(uint64_t from)
{
	return (double)(ring_clock_ns(CLOCK_MONOTONIC) - from) / 1e9;
}

static void write_bench(struct ring_writer *w, uint64_t records)
{
	static uint64_t batch[BENCH_BATCH][(BENCH_PAYLOAD + 8) / 8];

	for (uint32_t i = 0; i < BENCH_BATCH; i++)
		batch[i][0] = BENCH_PAYLOAD | (uint64_t)KIND << 32;
	for (uint64_t n = 0; n < records; n += BENCH_BATCH)
		CHECK(ring_write(w, (uint8_t *)batch, sizeof batch) > 0);
}

/* GB/s into segments with the oldest removed all the time, as a log under load does. */
static double segments_bench(const char *path, uint64_t records)
{
	static uint64_t batch[BENCH_BATCH][(BENCH_PAYLOAD + 8) / 8];
	char log[512];
	struct segments *s = NULL;
	uint64_t begin;

	snprintf(log, sizeof log, "%s.log", path);
	CHECK(mkdir(log, 0700) == 0);
	CHECK(segments_open(
	          log, 4 * BENCH_DATA_BYTES, 20 * BENCH_DATA_BYTES, SEGMENTS_DROP_OLDEST, &s, why) == 0);
	for (uint32_t i = 0; i < BENCH_BATCH; i++)
		batch[i][0] = BENCH_PAYLOAD | (uint64_t)KIND << 32;
	begin = ring_clock_ns(CLOCK_MONOTONIC);
	for (uint64_t n = 0; n < records; n += BENCH_BATCH)
		CHECK(segments_write(s, (uint8_t *)batch, sizeof batch) == sizeof batch);
	double rate = (double)records * 256 / seconds(begin) / 1e9;

	segments_free(s);
	return rate;
}

/* One after the other on one core, then the writer and a reader of all at the same time. */
static int peer_bench(const char *path, uint64_t records)
{
	_Alignas(8) static uint8_t buffer[1 << 18];
	struct ring_writer *w = create(path, BENCH_DATA_BYTES, RING_REPLACE);
	struct ring_reader *r = open_reader(path);
	uint64_t block = BENCH_DATA_BYTES / 2 / 256, begin, drained = 0;
	double writing = 0, draining = 0;
	int64_t got;

	write_bench(w, 4 * block); /* the pages are there */
	ring_seek_back(r, 0);
	for (uint64_t n = 0; n < records; n += block) {
		begin = ring_clock_ns(CLOCK_MONOTONIC);
		write_bench(w, block);
		writing += seconds(begin);
		begin = ring_clock_ns(CLOCK_MONOTONIC);
		while ((got = ring_read(r, buffer, sizeof buffer)) > 0)
			drained += (uint64_t)got;
		draining += seconds(begin);
		CHECK(got == 0);
	}
	double messages = (double)drained / 256;

	fflush(stdout);
	pid_t child = fork();

	if (child == 0) {
		uint64_t end = ring_reader_position(r) + records * 256;

		while (ring_reader_position(r) < end)
			ring_read(r, buffer, sizeof buffer);
		_exit(0);
	}
	begin = ring_clock_ns(CLOCK_MONOTONIC);
	write_bench(w, records);
	double both = seconds(begin);

	waitpid(child, NULL, 0);
	printf(
	    "{\"writesPerS\":%.0f,\"drainNs\":%.2f,\"contendedWritesPerS\":%.0f,\"segmentsGBPerS\":%.2f}\n",
	    messages / writing, draining * 1e9 / messages, (double)records / both,
	    segments_bench(path, records / 2));
	ring_reader_free(r);
	ring_writer_free(w);
	return 0;
}

int peer(int argc, char **argv)
{
	uint64_t a = argc > 2 ? strtoull(argv[2], NULL, 10) : 0,
	         b = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t c = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;

	CHECK(argc > 2);
	if (strcmp(argv[0], "write") == 0)
		return peer_write(argv[1], a, b);
	if (strcmp(argv[0], "read") == 0)
		return peer_read(argv[1], a);
	if (strcmp(argv[0], "once") == 0)
		return peer_once(argv[1], a, b);
	if (strcmp(argv[0], "die") == 0)
		return peer_die(argv[1], a);
	if (strcmp(argv[0], "pulse") == 0)
		return peer_pulse(argv[1], a, b, c);
	if (strcmp(argv[0], "rings") == 0)
		return peer_rings(argv[1], a, b);
	if (strcmp(argv[0], "bells") == 0)
		return peer_bells(argv[1], argv[2]);
	if (strcmp(argv[0], "log") == 0)
		return peer_log(argv[1], a, b, c);
	if (strcmp(argv[0], "bench") == 0)
		return peer_bench(argv[1], a);
	fprintf(stderr, "ring_test: unknown mode %s\n", argv[0]);
	return 2;
}
