/* A disk that misbehaves, for one process: loaded before libc (LD_PRELOAD), it counts what the process does to regular
 * files, and does as the environment says.
 *
 *   FAULT_SYNC_US=N      each sync takes so many microseconds longer
 *   FAULT_COUNT=FILE     how often files were changed is written there when the process ends in order
 *   FAULT_ONLY=TEXT      only files whose path holds it are counted
 *   FAULT_KILL_AT=N      the process is killed at the N-th change, before it
 *   FAULT_TEAR=1         ... if that is a write, after half of it
 *   FAULT_LOSE=SEED      ... as by a power cut: of what was written to a file and renamed since the last sync, the last is taken
 *                        back, as much of it as the seed says
 *   FAULT_ERRNO=N        the N-th change fails with this error instead, and so do the FAULT_TIMES - 1 after it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Something that a power cut takes back: old bytes of a file and its length, or a rename. */
struct undo {
  struct undo *before;
  dev_t device;
  ino_t inode; /* of the file, or of the directory that was not synced */
  int file;    /* a handle of our own, open to the end */
  off_t at, length;
  size_t count;
  char *bytes;
  char *from, *to;
};

static atomic_long changes;
static long sync_us, kill_at, tear, error, times = 1;
static uint64_t lose;
static const char *count_file, *only;
static struct undo *undone;
static pthread_mutex_t undoing = PTHREAD_MUTEX_INITIALIZER;

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  sync_us = number("FAULT_SYNC_US", 0);
  kill_at = number("FAULT_KILL_AT", 0);
  tear = number("FAULT_TEAR", 0);
  lose = (uint64_t)number("FAULT_LOSE", 0);
  error = number("FAULT_ERRNO", 0);
  times = number("FAULT_TIMES", 1);
  count_file = getenv("FAULT_COUNT");
  only = getenv("FAULT_ONLY");
}

__attribute__((destructor)) static void end(void) {
  FILE *file = count_file ? fopen(count_file, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", atomic_load(&changes));
  fclose(file);
}

static int is_file(int fd) {
  struct stat stat;
  if (syscall(SYS_fstat, fd, &stat) != 0 || !S_ISREG(stat.st_mode)) return 0;
  if (!only) return 1;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  return strstr(path, only) != NULL;
}

static uint64_t draw(void) {
  lose ^= lose << 13;
  lose ^= lose >> 7;
  lose ^= lose << 17;
  return lose;
}

static void take_back(const struct undo *one) {
  if (one->to) {
    syscall(SYS_rename, one->to, one->from);
    return;
  }
  size_t left = one->length > one->at ? (size_t)(one->length - one->at) : 0;
  syscall(SYS_pwrite64, one->file, one->bytes, one->count < left ? one->count : left, one->at);
  syscall(SYS_ftruncate, one->file, one->length);
}

/* The end. What was written last to each file goes first. */
static void die(void) {
  pthread_mutex_lock(&undoing);
  for (struct undo *one = lose ? undone : NULL; one; one = one->before) {
    int is_first = 1;
    for (struct undo *later = undone; later != one; later = later->before)
      if (later->device == one->device && later->inode == one->inode) is_first = 0;
    if (!is_first) continue;
    /* All, or so many. */
    uint64_t rest = draw() % 3 ? draw() % 16 : UINT64_MAX;
    for (struct undo *each = one; each && rest; each = each->before)
      if (each->device == one->device && each->inode == one->inode) take_back(each), rest--;
  }
  raise(SIGKILL);
}

static struct undo *remember(struct stat *stat) {
  struct undo *one = calloc(1, sizeof *one);
  one->device = stat->st_dev;
  one->inode = stat->st_ino;
  one->length = stat->st_size;
  one->before = undone;
  undone = one;
  return one;
}

static int handle_of(int fd, const struct stat *stat) {
  for (struct undo *one = undone; one; one = one->before)
    if (!one->to && one->device == stat->st_dev && one->inode == stat->st_ino) return one->file;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return open(link, O_RDWR | O_CLOEXEC);
}

/* What is about to be overwritten. */
static void will_write(int fd, size_t count, off_t at) {
  struct stat stat;
  if (!lose || syscall(SYS_fstat, fd, &stat) != 0) return;
  pthread_mutex_lock(&undoing);
  int file = handle_of(fd, &stat);
  struct undo *one = remember(&stat);
  one->file = file;
  one->at = at;
  one->bytes = malloc(count ? count : 1);
  ssize_t read = syscall(SYS_pread64, file, one->bytes, count, at);
  one->count = read > 0 ? (size_t)read : 0;
  pthread_mutex_unlock(&undoing);
}

static void will_resize(int fd, off_t length) {
  struct stat stat;
  if (!lose || syscall(SYS_fstat, fd, &stat) != 0) return;
  will_write(fd, stat.st_size > length ? (size_t)(stat.st_size - length) : 0, length);
}

static void was_renamed(const char *from, const char *to) {
  struct stat stat;
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", to);
  if (!lose || lstat(dirname(path), &stat) != 0) return;
  pthread_mutex_lock(&undoing);
  struct undo *one = remember(&stat);
  one->from = strdup(from);
  one->to = strdup(to);
  pthread_mutex_unlock(&undoing);
}

/* What is durable stays. */
static void was_synced(int fd) {
  struct stat stat;
  if (!lose || syscall(SYS_fstat, fd, &stat) != 0) return;
  pthread_mutex_lock(&undoing);
  for (struct undo **next = &undone; *next;) {
    struct undo *one = *next;
    /* The handle stays open: to close it would give up the locks of the file. */
    if (one->device == stat.st_dev && one->inode == stat.st_ino) *next = one->before;
    else next = &one->before;
  }
  pthread_mutex_unlock(&undoing);
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
  die();
  return 0;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
  int counts = is_file(fd), met = counts ? meet() : 0;
  if (met < 0) return -1;
  if (counts) will_write(fd, count, at);
  ssize_t written = syscall(SYS_pwrite64, fd, bytes, met ? count / 2 : count, at);
  if (met) die();
  return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

ssize_t write(int fd, const void *bytes, size_t count) {
  int counts = fd > 2 && is_file(fd), met = counts ? meet() : 0;
  if (met < 0) return -1;
  if (counts) {
    struct stat stat;
    int appends = fcntl(fd, F_GETFL) & O_APPEND;
    if (syscall(SYS_fstat, fd, &stat) == 0) will_write(fd, count, appends ? stat.st_size : lseek(fd, 0, SEEK_CUR));
  }
  ssize_t written = syscall(SYS_write, fd, bytes, met ? count / 2 : count);
  if (met) die();
  return written;
}

static int change(int counts) {
  int met = counts ? meet() : 0;
  if (met > 0) die();
  return met;
}

static int sync_file(long call, int fd) {
  if (change(only ? is_file(fd) : 1) < 0) return -1;
  if (sync_us) usleep((useconds_t)sync_us);
  /* Where power is cut by us nothing need reach the disk. */
  int failed = lose ? 0 : (int)syscall(call, fd);
  if (!failed) was_synced(fd);
  return failed;
}

int fsync(int fd) { return sync_file(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_file(SYS_fdatasync, fd); }

int ftruncate64(int fd, off_t length) {
  if (change(is_file(fd)) < 0) return -1;
  will_resize(fd, length);
  return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int rename(const char *from, const char *to) {
  struct stat there;
  if (change(!only) < 0) return -1;
  /* What takes the place of another file is taken for durable. */
  int replaces = lstat(to, &there) == 0, failed = (int)syscall(SYS_rename, from, to);
  if (!failed && !replaces) was_renamed(from, to);
  return failed;
}

int unlink(const char *path) { return change(!only) < 0 ? -1 : (int)syscall(SYS_unlink, path); }
