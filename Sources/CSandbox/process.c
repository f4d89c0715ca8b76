#include "process.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

int vs_wait_process(pid_t process, int timeout_milliseconds) {
    int handle = (int)syscall(SYS_pidfd_open, process, 0);
    if (handle < 0) return errno == ESRCH ? 0 : -1;
    struct pollfd watched = {handle, POLLIN, 0};
    int count = poll(&watched, 1, timeout_milliseconds);
    close(handle);
    return count > 0 ? 0 : count == 0 ? 1 : -1;
}
