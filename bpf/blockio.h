/* Layout of blockio.bpf.c's maps, shared with lib/telemetry/bpf/blockio.ts. */
#ifndef HOSTKIT_BLOCKIO_H
#define HOSTKIT_BLOCKIO_H

/* Operations that are told apart; the others (zone management, driver commands) are not counted, as upstream.
 */
enum { BLOCKIO_READ, BLOCKIO_WRITE, BLOCKIO_FLUSH, BLOCKIO_DISCARD, BLOCKIO_OPS };

/* Classes of errors: io, timeout, nospc, target, protection, unsupported, other. */
enum {
	BLOCKIO_ERROR_IO,
	BLOCKIO_ERROR_TIMEOUT,
	BLOCKIO_ERROR_NOSPC,
	BLOCKIO_ERROR_TARGET,
	BLOCKIO_ERROR_PROTECTION,
	BLOCKIO_ERROR_UNSUPPORTED,
	BLOCKIO_ERROR_OTHER,
	BLOCKIO_ERRORS
};

struct blockio_counters {
	u64 operations[BLOCKIO_OPS];
	u64 bytes[BLOCKIO_OPS];
	u64 requeues[BLOCKIO_OPS];
	u64 errors[BLOCKIO_OPS * BLOCKIO_ERRORS];
	u64 starts_dropped; /* requests whose start found no room */
	u64 reserved[7];
};

#endif
