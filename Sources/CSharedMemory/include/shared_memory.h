// Anonymous files (memfd) that processes of one host map: they have no name in any file system, so nothing is left of them
// once the last process that holds them has ended, however it ended. Linux only: what Glibc's module does not show Swift.
#pragma once
#include <stddef.h>

// A file of `size` zero bytes under `name`, which is shown in /proc alone. Its size is sealed: whoever maps it can never be
// left with pages that are not there. Returns a descriptor that is closed on exec, or -1 with errno set.
int wm_memory_file(const char *name, size_t size);

// Whether the size of `descriptor`'s file is sealed.
int wm_is_size_sealed(int descriptor);
