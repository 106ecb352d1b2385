/* Everything that descends from the keeper. */
#ifndef HOSTKIT_KEEPER_TREE_H
#define HOSTKIT_KEEPER_TREE_H

#include "options.h"

/*
 * Sends a signal to every descendant, wherever it has hidden: the keeper is their subreaper, so that sessions
 * of their own do not take them out of its reach. SIGKILL goes to the cgroup first, where there is one, since
 * that misses none that are just being born. Returns how many were reached; call it again until there are
 * none.
 */
int tree_signal(const struct options *o, int signal_number);

#endif
