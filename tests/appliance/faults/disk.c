/* A disk that misbehaves, for one process: loaded before libc (LD_PRELOAD), it counts what the process does to regular
 * files, and does as the environment says.
 *
 *   FAULT_SYNC_US=N      each sync takes so many microseconds longer
 *   FAULT_COUNT=FILE     how often files were changed is written there when the process ends in order
 *   FAULT_KILL_AT=N      the process is killed at the N-th change, before it
 *   FAULT_TEAR=1         ... if that is a write, after half of it
 *   FAULT_ERRNO=N        the N-th change fails with this error instead, and so do the FAULT_TIMES - 1 after it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long changes;
static long sync_us, kill_at, tear, error, times = 1;
static const char *count_file;

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  sync_us = number("FAULT_SYNC_US", 0);
  kill_at = number("FAULT_KILL_AT", 0);
  tear = number("FAULT_TEAR", 0);
  error = number("FAULT_ERRNO", 0);
  times = number("FAULT_TIMES", 1);
  count_file = getenv("FAULT_COUNT");
}

__attribute__((destructor)) static void end(void) {
  FILE *file = count_file ? fopen(count_file, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", atomic_load(&changes));
  fclose(file);
}

static int is_file(int fd) {
  struct stat stat;
  return syscall(SYS_fstat, fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* Counts a change: 0 if it is to be done, 1 if it is to be done in half and then be the last, -1 if it fails. */
static int meet(void) {
  long now = atomic_fetch_add(&changes, 1) + 1;
  if (!kill_at || now < kill_at) return 0;
  if (error) {
    if (now >= kill_at + times) return 0;
    errno = (int)error;
    return -1;
  }
  if (tear) return 1;
  raise(SIGKILL);
  return 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
  int met = is_file(fd) ? meet() : 0;
  if (met < 0) return -1;
  ssize_t written = syscall(SYS_pwrite64, fd, bytes, met ? count / 2 : count, at);
  if (met) raise(SIGKILL);
  return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

ssize_t write(int fd, const void *bytes, size_t count) {
  int met = is_file(fd) && fd > 2 ? meet() : 0;
  if (met < 0) return -1;
  ssize_t written = syscall(SYS_write, fd, bytes, met ? count / 2 : count);
  if (met) raise(SIGKILL);
  return written;
}

static int change(long call, long a, long b, long is_sync) {
  int met = meet();
  if (met < 0) return -1;
  if (met) raise(SIGKILL);
  if (is_sync && sync_us) usleep((useconds_t)sync_us);
  return (int)syscall(call, a, b);
}

int fsync(int fd) { return change(SYS_fsync, fd, 0, 1); }
int fdatasync(int fd) { return change(SYS_fdatasync, fd, 0, 1); }
int ftruncate64(int fd, off_t length) { return change(SYS_ftruncate, fd, length, 0); }
int ftruncate(int fd, off_t length) { return change(SYS_ftruncate, fd, length, 0); }
int rename(const char *from, const char *to) { return change(SYS_rename, (long)from, (long)to, 0); }
int unlink(const char *path) { return change(SYS_unlink, (long)path, 0, 0); }
