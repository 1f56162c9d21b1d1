/* Tells, in order, what a process syncs and renames: a line each in the file that INTELGRAPH_TEST_SEEN names. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void tell(const char *what, const char *first, const char *second) {
  char line[2 * PATH_MAX + 16];
  int length = snprintf(line, sizeof line, "%s %s%s%s\n", what, first, second ? " " : "", second ? second : "");
  int seen = open(getenv("INTELGRAPH_TEST_SEEN"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (seen < 0 || write(seen, line, length) != length) abort();
  close(seen);
}

static int told_sync(const char *name, int file) {
  int (*sync)(int) = dlsym(RTLD_NEXT, name);
  char link[64], path[PATH_MAX];
  int done = sync(file);
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) abort();
  path[length] = 0;
  if (done == 0) tell("sync", path, NULL);
  return done;
}

int fsync(int file) { return told_sync("fsync", file); }

int fdatasync(int file) { return told_sync("fdatasync", file); }

int rename(const char *from, const char *to) {
  int (*renamed)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  int done = renamed(from, to);
  if (done == 0) tell("rename", from, to);
  return done;
}
