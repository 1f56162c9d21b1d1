/* A clock that jumps, for one process: loaded before libc (LD_PRELOAD), it adds to the time of day as many seconds as the
 * file says that FAKE_CLOCK names, in its first eight bytes, as the machine writes a number. Other clocks go on as they are. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *ahead;

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("FAKE_CLOCK");
  int file = name ? open(name, O_RDONLY) : -1;
  if (file < 0) return;
  void *bytes = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (bytes != MAP_FAILED) ahead = bytes;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, clock, now);
  if (!failed && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
  return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec is;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &is)) return -1;
  now->tv_sec = is.tv_sec;
  now->tv_usec = is.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *to) {
  struct timespec is;
  clock_gettime(CLOCK_REALTIME, &is);
  if (to) *to = is.tv_sec;
  return is.tv_sec;
}
