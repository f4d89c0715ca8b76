#define _GNU_SOURCE 1
#include "CTerminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static struct termios saved;
static volatile sig_atomic_t guarding = 0;

static const int fatal[] = {SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { fatal_count = sizeof(fatal) / sizeof(fatal[0]) };

// Only calls that are allowed in a signal handler.
static void restore(int number) {
    if (guarding) {
        guarding = 0;
        // Attributes off, cursor shown, mouse off, keypad off, back to the main screen.
        static const char leave[] = "\033[0m\033[?25h\033[?1000l\033[?1l\033>\033[?1049l";
        ssize_t written = write(STDOUT_FILENO, leave, sizeof(leave) - 1);
        (void)written;
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void ct_guard_install(void) {
    if (tcgetattr(STDIN_FILENO, &saved) != 0) return;
    guarding = 1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = restore;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < fatal_count; i++) sigaction(fatal[i], &action, NULL);
}

void ct_guard_remove(void) {
    guarding = 0;
    for (int i = 0; i < fatal_count; i++) signal(fatal[i], SIG_DFL);
}

int ct_wait(int wake, int timeout_milliseconds) {
    struct pollfd watched[2] = {{STDIN_FILENO, POLLIN, 0}, {wake, POLLIN, 0}};
    int count = poll(watched, 2, timeout_milliseconds);
    if (count < 0) return errno == EINTR ? 1 : 0;
    return (watched[0].revents ? 1 : 0) | (watched[1].revents ? 2 : 0);
}

int ct_run_foreground(const char *path, char *const arguments[], char *const environment[], const char *directory) {
    struct sigaction ignore, old_int, old_quit;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &old_int);
    sigaction(SIGQUIT, &ignore, &old_quit);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t defaults, none;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGINT);
    sigaddset(&defaults, SIGQUIT);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (directory) posix_spawn_file_actions_addchdir_np(&actions, directory);

    pid_t child;
    int failure = posix_spawn(&child, path, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    int status = -1;
    if (failure == 0) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    }
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
    if (failure) errno = failure;
    return failure ? -1 : status;
}

bool ct_input_closed(void) {
    struct pollfd watched = {STDIN_FILENO, POLLIN, 0};
    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR | POLLNVAL));
}
