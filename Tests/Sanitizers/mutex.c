// Tells ThreadSanitizer of Synchronization.Mutex where two threads contend for one. What is in line in the program it sees
// itself; the rest is in a library of the toolchain that is built without it, and what one thread did before the other would
// look unordered. These stand in the program in the library's functions' place, and call them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

// Mangled: _MutexHandle._lockSlow(UInt32), _tryLockSlow() and _unlockSlow().
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT void (*lock_function)(uint32_t thread, SELF);
typedef SWIFT bool (*try_lock_function)(SELF);
typedef SWIFT void (*unlock_function)(SELF);

static void *library_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) abort();
    return function;
}

SWIFT void wm_lock_slow(uint32_t thread, SELF mutex) __asm__(LOCK);
SWIFT bool wm_try_lock_slow(SELF mutex) __asm__(TRY_LOCK);
SWIFT void wm_unlock_slow(SELF mutex) __asm__(UNLOCK);

SWIFT void wm_lock_slow(uint32_t thread, SELF mutex) {
    ((lock_function)library_function(LOCK))(thread, mutex);
    __tsan_acquire(mutex);
}

SWIFT bool wm_try_lock_slow(SELF mutex) {
    const bool is_locked = ((try_lock_function)library_function(TRY_LOCK))(mutex);
    if (is_locked) __tsan_acquire(mutex);
    return is_locked;
}

SWIFT void wm_unlock_slow(SELF mutex) {
    __tsan_release(mutex);
    ((unlock_function)library_function(UNLOCK))(mutex);
}
