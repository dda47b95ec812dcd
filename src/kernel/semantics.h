/* Which behaviour this is: the hash of docs/semantics-1.md, compared by a test. */
#ifndef KERNEL_SEMANTICS_H
#define KERNEL_SEMANTICS_H

#include "base/sha256.h"

extern const uint8_t semantics_id[SHA256_SIZE];

#endif
