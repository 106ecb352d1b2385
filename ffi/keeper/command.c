/* What a client's frame makes the keeper do. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "life.h"

#define END_OF_FILE 4 /* Ctrl-D */

/* True when the frame is done with; false when the child's input is full. */
static bool write_input(struct keeper *k, struct client *c)
{
	while (k->child.input >= 0 && c->written < c->frame->length) {
		ssize_t put =
		    write(k->child.input, c->frame->payload + c->written, c->frame->length - c->written);

		if (put < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		/* The child reads no more: what is sent to it is lost, as in a pipe of a shell. */
		if (put < 0)
			return true;
		c->written += (uint32_t)put;
	}
	return true;
}

static void end_input(struct keeper *k)
{
	const char end = END_OF_FILE;

	if (k->child.input < 0)
		return;
	if (k->child.input == k->child.output) {
		if (write(k->child.input, &end, 1) < 0)
			output_event(&k->output, "cannot end the input: %s", strerror(errno));
		return;
	}
	close(k->child.input);
	k->child.input = -1;
}

static void set_window(struct keeper *k, const uint8_t *payload)
{
	uint16_t size[2];

	memcpy(size, payload, sizeof size);
	struct winsize window = {.ws_row = size[0], .ws_col = size[1]};

	if (k->child.input >= 0 && k->child.input == k->child.output)
		ioctl(k->child.input, TIOCSWINSZ, &window);
}

/* Answers with the names of the listening sockets, and the sockets themselves. */
static void hand_over(struct keeper *k, struct client *c)
{
	const struct options *o = &k->options;
	struct {
		uint32_t length, kind;
		char names[KEEPER_NAMES_MAX];
	} answer = {.kind = KEEPER_HAND_OVER};
	union {
		char room[CMSG_SPACE(KEEPER_LISTENERS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec from = {&answer, 0};
	struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};

	/* The options take no more names than fit here. */
	for (uint32_t at = 0; at < o->listener_count; at++) {
		size_t bytes = strlen(o->listeners[at].name) + 1;

		memcpy(answer.names + answer.length, o->listeners[at].name, bytes);
		answer.length += (uint32_t)bytes;
	}
	from.iov_len = offsetof(__typeof__(answer), names) + answer.length;
	if (o->listener_count > 0) {
		size_t bytes = o->listener_count * sizeof(int);

		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(bytes);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

		*rights = (struct cmsghdr){CMSG_LEN(bytes), SOL_SOCKET, SCM_RIGHTS};
		for (uint32_t at = 0; at < o->listener_count; at++)
			memcpy(CMSG_DATA(rights) + at * sizeof(int), &o->listeners[at].fd, sizeof(int));
	}
	/* A client that does not read its answers gets no more of them. */
	if (sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)from.iov_len)
		control_close(c);
}

bool command_obey(struct keeper *k, struct client *c)
{
	const struct frame *f = c->frame;
	uint32_t words[2] = {0, 0};

	if (f->length <= sizeof words)
		memcpy(words, f->payload, f->length);
	if (f->kind == KEEPER_INPUT)
		return write_input(k, c);
	if (f->kind == KEEPER_END_INPUT && f->length == 0)
		end_input(k);
	else if (f->kind == KEEPER_WINDOW && f->length == 4)
		set_window(k, f->payload);
	else if (f->kind == KEEPER_SIGNAL && f->length == 4)
		keeper_signal(k, words[0]);
	else if (f->kind == KEEPER_STOP && f->length == 8)
		keeper_stop(k, words[0], words[1]);
	else if (f->kind == KEEPER_HAND_OVER && f->length == 0)
		hand_over(k, c);
	else
		control_close(c);
	return true;
}

bool command_waits(const struct client *c)
{
	return c->fd >= 0 && control_is_whole(c) && c->frame->kind == KEEPER_INPUT;
}
