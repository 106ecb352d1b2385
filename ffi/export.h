/* What every shim's header begins with. */
#ifndef HOSTKIT_EXPORT_H
#define HOSTKIT_EXPORT_H

#include <stddef.h>
#include <stdint.h>

/* Shims are built with -fvisibility=hidden: only what carries this mark can be called. */
#define HK_EXPORT __attribute__((visibility("default")))

#endif
