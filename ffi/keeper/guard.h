/*
 * A guard stands between a program that talks to its child over pipes and that child: it keeps nothing, and
 * sees to it that the whole tree ends with whoever started it, however that ends.
 *
 *   keeper --guard OWNER:MS -- PROGRAM [ARGUMENT]...
 *
 * OWNER is the pid of the parent. The child has a session of its own and the guard's standard input, output
 * and error, of which the guard itself keeps none. It ends as the child does, with its code or by its signal,
 * once nothing of the tree is left: what outlives the child is killed. SIGTERM, or the end of the owner, asks
 * the child's group to end and kills the tree after MS; SIGUSR1 kills it at once.
 */
#ifndef HOSTKIT_KEEPER_GUARD_H
#define HOSTKIT_KEEPER_GUARD_H

/* Returns an exit status, or does not return when the child was ended by a signal. */
int guard_main(int argc, char **argv);

#endif
