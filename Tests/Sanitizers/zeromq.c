// Tells ThreadSanitizer what libzmq, which is built without it, orders: it gives memory that was lent to it back on a thread of
// its own, to which the message has come through a queue of atomic operations. This stands in its function's place.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

typedef void release_function(void *data, void *hint);
typedef int init_function(void *message, void *data, size_t size, release_function *release, void *hint);

typedef struct {
    release_function *release;
    void *hint;
} loan;

static void give_back(void *data, void *hint) {
    __tsan_acquire(hint);
    const loan given = *(loan *)hint;
    free(hint);
    given.release(data, given.hint);
}

int zmq_msg_init_data(void *message, void *data, size_t size, release_function *release, void *hint) {
    init_function *library = (init_function *)dlsym(RTLD_NEXT, "zmq_msg_init_data");
    if (!library) abort();
    if (!release) return library(message, data, size, release, hint);
    loan *given = malloc(sizeof *given);
    if (!given) abort();
    *given = (loan){release, hint};
    __tsan_release(given);
    const int failure = library(message, data, size, give_back, given);
    if (failure) free(given);
    return failure;
}
