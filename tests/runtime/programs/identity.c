// identity [subreaper]: calls itself `awl-identity`, sets a known bit field in its kernel structures, and makes one
// getpgid(1234567) call for the script to look at them.
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv) {
  prctl(PR_SET_NAME, "awl-identity");
  if (argc > 1 && !strcmp(argv[1], "subreaper")) prctl(PR_SET_CHILD_SUBREAPER, 1);
  syscall(SYS_getpgid, 1234567);
  return 0;
}
