// The program beside `velocity` that owns what pods live in. It is a program of its own, and a small one, because it forks for every
// container: what it has mapped is copied each time.
#include <CSandbox.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/// The image `pause`: does nothing until it is asked to stop.
static int wait_for_the_end(void) {
    sigset_t ends;
    int number;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    return sigwait(&ends, &number);
}

int main(int count, char **arguments) {
    const char *slash = strrchr(arguments[0], '/');
    if (strcmp(slash ? slash + 1 : arguments[0], "pause") == 0) return wait_for_the_end();
    if (count == 2 && strcmp(arguments[1], "sandbox") == 0) return vs_serve_sandboxes(true);
    // What is built is kept as files of this user.
    if (count == 2 && strcmp(arguments[1], "build") == 0) return vs_serve_sandboxes(false);
    if (count == 3 && strcmp(arguments[1], "remove") == 0) return vs_remove_folder(arguments[2]);
    if (count == 2 && strcmp(arguments[1], "plain") == 0) return vs_serve_plain();
    fputs("sandboxd is started by velocity, for its pods; there is nothing else that it does.\n", stderr);
    return 2;
}
