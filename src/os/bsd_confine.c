/* Systems without seccomp give nothing up. */
#include "os/posix.h"

enum status os_confine(void) { return STATUS_NOT_FOUND; }
