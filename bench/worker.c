/* The worker that is measured. "stamp": writes the time at which it began to its standard output
 * and ends. "stay": does nothing until it is killed. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char* argv[]) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc == 2 && strcmp(argv[1], "stamp") == 0) {
    char text[40];
    const int length =
        snprintf(text, sizeof text, "%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
    return write(STDOUT_FILENO, text, (size_t)length) == length ? 0 : 1;
  }
  if (argc == 2 && strcmp(argv[1], "stay") == 0) {
    for (;;) {
      pause();
    }
  }
  return 2;
}
