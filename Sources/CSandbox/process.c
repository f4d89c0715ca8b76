#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

int vs_wait_process(pid_t process, int timeout_milliseconds) {
    int handle = (int)syscall(SYS_pidfd_open, process, 0);
    if (handle < 0) return errno == ESRCH ? 0 : -1;
    struct pollfd watched = {handle, POLLIN, 0};
    int count = poll(&watched, 1, timeout_milliseconds);
    close(handle);
    return count > 0 ? 0 : count == 0 ? 1 : -1;
}

int vs_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

void vs_set_window(int terminal, unsigned columns, unsigned rows) {
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    ioctl(terminal, TIOCSWINSZ, &size);
}

void vs_block_broken_pipes(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
}

bool vs_has_memory_attributes(void) {
    int file = memfd_create("probe", MFD_CLOEXEC);
    bool has_attributes = file >= 0 && fsetxattr(file, "user.probe", "y", 1, 0) == 0;
    if (file >= 0) close(file);
    return has_attributes;
}

void vs_close_on_exec(int first) {
    const unsigned close_range_cloexec = 1u << 2;
    syscall(SYS_close_range, first, ~0u, close_range_cloexec);
}
