#ifndef WAFERMARK_CORES_H
#define WAFERMARK_CORES_H

#include <stddef.h>

/// The cores that this process may run on, a bit each, in `count` words; whether the system says so. glibc declares the
/// call for C alone.
int wafermark_get_cores(unsigned long *words, size_t count);

/// Keeps this thread, and those that it starts from now on, on these cores; whether the system allows it.
int wafermark_set_cores(const unsigned long *words, size_t count);

#endif
