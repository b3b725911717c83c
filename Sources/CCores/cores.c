#define _GNU_SOURCE
#include "cores.h"

#include <sched.h>
#include <string.h>

// `cpu_set_t` is an array of words of one bit a core, in ascending order.

int wafermark_get_cores(unsigned long *words, size_t count) {
    memset(words, 0, count * sizeof *words);
    return sched_getaffinity(0, count * sizeof *words, (cpu_set_t *)words) == 0;
}

int wafermark_set_cores(const unsigned long *words, size_t count) {
    return sched_setaffinity(0, count * sizeof *words, (const cpu_set_t *)words) == 0;
}
