/* My Docker. Stage 1: runs a command and passes its exit code on. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char **words) {
  char **command = words + 1; /* not used yet: options before the image, and the image */
  pid_t pid = fork();
  if (pid == 0) {
    execvp(command[0], command);
    fprintf(stderr, "my-docker: %s: %s\n", command[0], strerror(errno));
    _exit(127);
  }
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) < 0) {
    perror("my-docker");
    return 125;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv) {
  if (argc > 3 && strcmp(argv[1], "run") == 0) return run(argv + 2);
  fprintf(stderr, "my-docker: there is no command %s\n", argc > 1 ? argv[1] : "");
  return 125;
}
