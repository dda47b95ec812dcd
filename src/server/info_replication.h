/* A section of INFO that has a file of its own. */
#ifndef SERVER_INFO_REPLICATION_H
#define SERVER_INFO_REPLICATION_H

struct page;
struct server;

typedef void info_line(struct page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Write the lines of "# Replication" through `line`. */
void info_replication(struct server *server, info_line *line, struct page *page);

#endif
