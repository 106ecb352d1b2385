/*
 * The start of the packed file: picks the tool, answers what needs no runtime (help, versions, completion
 * scripts, manual pages, licences) and otherwise starts the runtime on the bundle with exactly that tool's
 * permissions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cache.h"
#include "loader.h"

#define USAGE 2
#define FAILED 1

/* Files of an entry that the launcher itself names; lib/build/pack.ts puts them there. */
#define RUNTIME "deno"
#define BUNDLE "hostkit.js"

/* A tool's argument that becomes the permission to read the entry: code is loaded from there late. */
#define READ_OWN_FILES "--allow-read={entry}"

/* Answers come in these styles: plain or with bold titles, for terminals of at least this many columns. */
#define WIDE 100

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static bool find_tool(const struct payload *payload, const char *name, struct record *tool)
{
	for (size_t at = 0; payload_next(payload, &at, tool);)
		if (tool->count >= 2 && strcmp(tool->fields[0], "tool") == 0 &&
		    strcmp(tool->fields[1], name) == 0)
			return true;
	return false;
}

static const char *answer_style(void)
{
	struct winsize window;
	if (!isatty(STDOUT_FILENO))
		return "plain";
	bool wide = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col >= WIDE;
	if (getenv("NO_COLOR") != NULL)
		return wide ? "plain" : "plain-narrow";
	return wide ? "bold" : "bold-narrow";
}

static bool same_words(const struct record *record, const char *program, char **words)
{
	int at = 4;
	if (record->count <= at || strcmp(record->fields[at++], program) != 0)
		return false;
	for (; at < record->count && *words != NULL; at++, words++)
		if (strcmp(record->fields[at], *words) != 0)
			return false;
	return at == record->count && *words == NULL;
}

/* Prints the text that stands ready for exactly these words. Returns false when there is none. */
static bool answer(const struct payload *payload, const char *program, char **words)
{
	struct record record;
	struct range text;
	const char *style = answer_style();

	for (size_t at = 0; payload_next(payload, &at, &record);) {
		if (strcmp(record.fields[0], "answer") != 0 || !payload_range(payload, &record, 2, &text))
			continue;
		/* A text that is the same in every style stands there once. */
		if (strcmp(record.fields[1], style) != 0 && strcmp(record.fields[1], "any") != 0)
			continue;
		if (!same_words(&record, program, words))
			continue;
		if (fwrite(payload->bytes + text.offset, 1, text.size, stdout) != text.size ||
		    fflush(stdout) != 0) {
			fprintf(
			    stderr, "%s: cannot write to standard output: %s\n", program, strerror(errno));
			exit(FAILED);
		}
		return true;
	}
	return false;
}

static int unknown_tool(const struct payload *payload, const char *name)
{
	struct record record;
	const char *separator = " ";

	fprintf(stderr, "hostkit: unknown tool \"%s\"; there are:", name);
	for (size_t at = 0; payload_next(payload, &at, &record);) {
		if (record.count < 2 || strcmp(record.fields[0], "tool") != 0)
			continue;
		fprintf(stderr, "%s%s", separator, record.fields[1]);
		separator = ", ";
	}
	fprintf(stderr, "\nTry \"hostkit --help\".\n");
	return USAGE;
}

/* The runtime's own settings are for this process only: the bundle gives its children back what the caller
 * had set (cmd/hostkit/main.ts), from this one variable of lines NAME=VALUE. Another tells where the packed
 * file is, which a tool that starts itself again has to know. */
static int set_environment(const char *entry)
{
	static const char *const NAMES[] = {"DENO_DIR", "DENO_NO_UPDATE_CHECK"};
	char values[2][PATH_MAX + 16] = {"", "1"};
	char *saved = NULL;
	size_t length = 0;

	/* Only the runtime's own caches: without a writable entry it does without them. */
	snprintf(values[0], sizeof(values[0]), "%s/cache", entry);
	FILE *lines = open_memstream(&saved, &length);
	if (lines == NULL)
		return -errno;
	for (int at = 0; at < 2; at++) {
		const char *value = getenv(NAMES[at]);
		if (value != NULL)
			fprintf(lines, "%s=%s\n", NAMES[at], value);
	}
	if (fclose(lines) != 0)
		return -errno;
	char file[PATH_MAX];
	ssize_t bytes = readlink("/proc/self/exe", file, sizeof file - 1);
	bool failed = setenv("HOSTKIT_CALLER_ENV", saved, 1) < 0;
	if (bytes > 0) {
		file[bytes] = '\0';
		failed = setenv("HOSTKIT_FILE", file, 1) < 0 || failed;
	}
	for (int at = 0; at < 2; at++)
		failed = setenv(NAMES[at], values[at], 1) < 0 || failed;
	free(saved);
	return failed ? -ENOMEM : 0;
}

/* Becomes the runtime. Returns only on failure. */
static int start(const struct payload *payload, const struct record *tool, char **words)
{
	static struct loader loader;
	char entry[PATH_MAX], program[PATH_MAX + 16], bundle[PATH_MAX + 16], own_files[PATH_MAX + 32];
	int word_count = 0, count = 0;

	if (cache_open(payload, entry) < 0)
		return FAILED;
	snprintf(program, sizeof(program), "%s/" RUNTIME, entry);
	snprintf(bundle, sizeof(bundle), "%s/" BUNDLE, entry);
	snprintf(own_files, sizeof(own_files), "--allow-read=%s", entry);
	while (words[word_count] != NULL)
		word_count++;
	if (!loader_choose(tool->fields[1], entry, program, &loader))
		return FAILED;
	const char **args = calloc((size_t)(tool->count + word_count + 7), sizeof(*args));
	if (args == NULL || set_environment(entry) < 0) {
		fprintf(stderr, "%s: cannot start: out of memory\n", tool->fields[1]);
		free(args);
		return FAILED;
	}
	if (loader.called)
		args[count++] = loader.path;
	if (loader.called && loader.libraries[0] != '\0') {
		args[count++] = "--library-path";
		args[count++] = loader.libraries;
	}
	args[count++] = program;
	for (int at = 2; at < tool->count; at++)
		args[count++] = strcmp(tool->fields[at], READ_OWN_FILES) == 0 ? own_files : tool->fields[at];
	args[count++] = bundle;
	args[count++] = tool->fields[1];
	for (int at = 0; at < word_count; at++)
		args[count++] = words[at];
	execv(args[0], (char *const *)args);
	fprintf(stderr, "%s: cannot start %s: %s\n", tool->fields[1], args[0], strerror(errno));
	free(args);
	return FAILED;
}

int main(int argc, char **argv)
{
	struct payload payload;
	struct record tool;

	int error = payload_open(&payload);
	if (error < 0) {
		fprintf(stderr, "hostkit: cannot read the packed file: %s\n",
		    error == -EBADMSG ? "it is cut short or damaged" : strerror(-error));
		return FAILED;
	}
	char **words = argv + (argc > 0 ? 1 : 0);
	if (argc == 0 || !find_tool(&payload, base_name(argv[0]), &tool)) {
		if (answer(&payload, "hostkit", words))
			return 0;
		if (*words == NULL || !find_tool(&payload, *words, &tool))
			return unknown_tool(&payload, *words == NULL ? "" : *words);
		words++;
	}
	return answer(&payload, tool.fields[1], words) ? 0 : start(&payload, &tool, words);
}
