// Sixteen numbers at a time, whatever the machine's vectors are: a compiler without registers of that width cuts them up.
// What is computed with them has the same bits by every table, so nothing is contracted.
#include "../include/ckernels.h"
#include <string.h>

#pragma clang fp contract(off)

typedef float v16 __attribute__((vector_size(64)));
typedef double d16 __attribute__((vector_size(128)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef uint32_t u16 __attribute__((vector_size(64)));
typedef uint64_t w16 __attribute__((vector_size(128)));

// Macros, not functions: a 64-byte vector must not cross a call whose ABI depends on the instruction set.
#define LOAD_16(destination, pointer) memcpy(&(destination), (pointer), sizeof(v16))
#define STORE_16(pointer, source) memcpy((pointer), &(source), sizeof(v16))
