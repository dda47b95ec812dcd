/* Names of statuses. The switch has no default, so that the compiler reports a missing
 * one. */
#include "base/status.h"

const char *status_name(enum status status) {
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_RANGE:
        return "range";
    case STATUS_NOT_FINITE:
        return "not_finite";
    case STATUS_TOO_LARGE:
        return "too_large";
    case STATUS_ROUNDS_TO_ZERO:
        return "rounds_to_zero";
    case STATUS_NO_KEY:
        return "no_key";
    case STATUS_NO_ELEMENT:
        return "no_element";
    case STATUS_NO_NODE:
        return "no_node";
    case STATUS_NO_EDGE:
        return "no_edge";
    case STATUS_EXISTS:
        return "exists";
    case STATUS_WRONG_TYPE:
        return "wrong_type";
    case STATUS_DIMENSION:
        return "dimension";
    case STATUS_QUANTISATION:
        return "quantisation";
    case STATUS_M:
        return "m";
    case STATUS_CAPACITY:
        return "capacity";
    case STATUS_FULL:
        return "full";
    case STATUS_CONDITION:
        return "condition";
    case STATUS_MEMORY:
        return "memory";
    case STATUS_AGAIN:
        return "again";
    case STATUS_END:
        return "end";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_IO:
        return "io";
    case STATUS_NO_SPACE:
        return "no_space";
    case STATUS_LOCKED:
        return "locked";
    case STATUS_CORRUPT:
        return "corrupt";
    case STATUS_VERSION:
        return "version";
    case STATUS_FOREIGN:
        return "foreign";
    case STATUS_DIVERGED:
        return "diverged";
    case STATUS_UNSAFE:
        return "unsafe";
    }
    return "unknown";
}
