/* Says a line every second until it is ended: one of a thousand services of supervisor_bench.ts. With a
 * number of bytes it says that many, in lines of 256 B, and ends. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 256
#define LINES 256

int main(int argc, char **argv)
{
	static char block[LINE_BYTES * LINES];
	long long left = argc > 1 ? atoll(argv[1]) : 0;

	memset(block, 'x', sizeof block);
	for (int line = 1; line <= LINES; line++)
		block[line * LINE_BYTES - 1] = '\n';
	if (argc <= 1)
		for (;; sleep(1))
			if (write(1, "a line that is said every second\n", 33) < 0)
				return 1;
	while (left > 0) {
		ssize_t written = write(1, block, sizeof block);
		if (written < 0)
			return 1;
		left -= written;
	}
	return 0;
}
