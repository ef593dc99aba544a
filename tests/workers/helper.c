/* A worker for tests: does what its first argument says. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char* text) {
  if (write(STDOUT_FILENO, text, strlen(text)) < 0) {
    _exit(99);
  }
}

static void wait_for_ever(void) {
  for (;;) {
    pause();
  }
}

/* Tells the parent through a pipe that it is where it should be, then stays. */
static void settle_and_stay(int told) {
  if (write(told, "x", 1) != 1) {
    _exit(99);
  }
  close(told);
  wait_for_ever();
}

static void await(int count, int from) {
  char byte;
  while (count-- > 0) {
    if (read(from, &byte, 1) != 1) {
      _exit(98);
    }
  }
}

/* One child in a session of its own, one grandchild whose parent is gone, one child that ignores
 * SIGTERM. */
static void leave_descendants(void) {
  int told[2];
  if (pipe(told) != 0) {
    _exit(97);
  }
  if (fork() == 0) {
    setsid();
    settle_and_stay(told[1]);
  }
  const pid_t between = fork();
  if (between == 0) {
    if (fork() == 0) {
      setsid();
      settle_and_stay(told[1]);
    }
    _exit(0);
  }
  if (fork() == 0) {
    signal(SIGTERM, SIG_IGN);
    settle_and_stay(told[1]);
  }
  await(3, told[0]);
}

static void write_lines(long count) {
  char line[64];
  for (long i = 0; i < count; ++i) {
    const int length = snprintf(line, sizeof line, "line %010ld ................\n", i);
    if (write(STDOUT_FILENO, line, (size_t)length) != length) {
      _exit(96);
    }
  }
}

static void append(const char* path, const char* text) {
  char line[64];
  const int length = snprintf(line, sizeof line, "%s\n", text);
  const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, line, (size_t)length) != length) {
    _exit(95);
  }
  close(fd);
}

static int outcome(int code, int number) {
  if (number != 0) {
    signal(number, SIG_DFL);
    raise(number);
  }
  return code;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "leave") == 0) {
    leave_descendants();
    return 3;
  }
  if (strcmp(what, "leave-and-stay") == 0) {
    leave_descendants();
    say("ready\n");
    wait_for_ever();
  }
  if (strcmp(what, "ignore-term") == 0) {
    signal(SIGTERM, SIG_IGN);
    say("ready\n");
    wait_for_ever();
  }
  if (strcmp(what, "stay") == 0) {
    say("ready\n");
    wait_for_ever();
  }
  if (strcmp(what, "lines") == 0 && argc == 3) {
    write_lines(atol(argv[2]));
    return 0;
  }
  /* append FILE TEXT MILLISECONDS CODE SIGNAL DESCENDANTS */
  if (strcmp(what, "append") == 0 && argc == 8) {
    append(argv[2], argv[3]);
    if (atoi(argv[7]) != 0) {
      leave_descendants();
    }
    usleep((useconds_t)atoi(argv[4]) * 1000U);
    return outcome(atoi(argv[5]), atoi(argv[6]));
  }
  return 94;
}
