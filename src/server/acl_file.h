/* The file of `aclfile`: a line `user name rules..` for each user; `#` begins a comment.
 */
#ifndef SERVER_ACL_FILE_H
#define SERVER_ACL_FILE_H

#include "os/os.h"
#include "server/acl_user.h"
#include "server/plan.h"

#define ACL_FILE_MESSAGE_SIZE 512

struct acl_file {
    struct acl_user *users;
};

/* Read and check the whole file. False: `why` says where it is wrong, and nothing is to
 * be freed. */
bool acl_file_read(const struct os *os, const struct allocator *allocator,
                   const char *path, struct acl_file *file,
                   char why[ACL_FILE_MESSAGE_SIZE]);
void acl_file_free(struct acl_file *file);

/* Plan what makes the state's users those of the file: a record for each that differs,
 * and the removal of those that it does not name. The plan keeps copies. */
enum status acl_file_plan(const struct acl_file *file, const struct state *state,
                          struct plan *plan);

/* Write `users` there. */
enum status acl_file_write(const struct os *os, const struct allocator *allocator,
                           const char *path, const struct acl_user *users);

#endif
