/* What those above the engine may read from its log: old entries and hashes of the log
 * tree. The log comes from engine_log(). */
#ifndef ENGINE_LOG_ACCESS_H
#define ENGINE_LOG_ACCESS_H

#include "storage/cursor.h"
#include "storage/log_tree.h"

#endif
