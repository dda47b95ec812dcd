/* The outcome of every fallible call: 0 is good, anything else says why not.
 *
 * A status names a cause, not a sentence. Sentences for clients live in server/errors.c, exit
 * codes in engine/exit_code.c: the numbers here are never written to a file or a wire. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status {
    STATUS_OK = 0,

    /* The caller's input. Nothing changed. */
    STATUS_INVALID,    /* malformed bytes or an argument out of its documented range */
    STATUS_RANGE,      /* a number that does not fit its type */
    STATUS_NOT_FINITE, /* NaN or an infinity where a number is wanted */
    STATUS_TOO_LARGE,  /* a size over its limit */
    STATUS_ROUNDS_TO_ZERO, /* a vector that is not zero would be stored as zero */

    /* The state says no. Nothing changed. */
    STATUS_NO_KEY,       /* no such key */
    STATUS_NO_ELEMENT,   /* no such element */
    STATUS_NO_NODE,      /* no such node of a graph */
    STATUS_NO_EDGE,      /* no such edge of a graph */
    STATUS_EXISTS,       /* the key is there already */
    STATUS_WRONG_TYPE,   /* the key holds another kind of value */
    STATUS_DIMENSION,    /* a vector of another dimension */
    STATUS_QUANTISATION, /* another quantisation than the collection's */
    STATUS_M,            /* another M than the collection's */
    STATUS_CAPACITY,     /* the collection is full */
    STATUS_FULL,         /* a limit of the whole server is reached */
    STATUS_CONDITION,    /* NX or XX is not met */
    STATUS_MEMORY,       /* no memory for it */

    /* The world outside. */
    STATUS_AGAIN,     /* nothing now; ask again when the poller says so */
    STATUS_END,       /* no more: end of file, end of iteration, peer closed */
    STATUS_NOT_FOUND, /* no such file */
    STATUS_IO,        /* the system refused; os_error() of the call has the errno */
    STATUS_NO_SPACE,  /* ENOSPC, EDQUOT or EFBIG; nothing of the write remains */
    STATUS_LOCKED,    /* another process holds the directory */

    /* Data files. The classes decide the exit code (docs/format.md, section 9). */
    STATUS_CORRUPT,  /* acknowledged data is damaged */
    STATUS_VERSION,  /* written by a newer format */
    STATUS_FOREIGN,  /* missing, duplicated, swapped, or another server's file */
    STATUS_DIVERGED, /* a replica's state is not its primary's */
    STATUS_UNSAFE,   /* owner, mode or link count of a data file is not safe */
};

/* The name without its prefix, in lower case, for messages to an operator: "no_space". */
const char *status_name(enum status status);

#endif
