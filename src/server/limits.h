/* Numbers that commands check, in one place for them and for docs/limits.md. */
#ifndef SERVER_LIMITS_H
#define SERVER_LIMITS_H

#define EF_MAX   1000000 /* EF of VADD, VCREATE and searches */
#define M_MIN    4
#define M_MAX    4096
#define TAGS_MAX 4096 /* of one search */
#define GRAPH_LIMIT_MAX 1000000 /* LIMIT of GRAPH.WALK and PATH */

#endif
