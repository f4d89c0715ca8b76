// Whether this machine allows what sandboxd does, found out by doing it.
#define _GNU_SOURCE 1
#include "include/probe.h"
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void find_out(void (*look)(void *found), void *found, size_t size) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return;
    // Only system calls follow in the child, which is sound after a fork of a process with threads.
    pid_t child = fork();
    if (child == 0) {
        look(found);
        _exit(write(report[1], found, size) == (ssize_t)size ? 0 : 1);
    }
    close(report[1]);
    // It comes as one, or not at all.
    if (child > 0 && read(report[0], found, size) < 0) {}
    if (child > 0) waitpid(child, NULL, 0);
    close(report[0]);
}

static struct vs_probe_result result(int outcome, const char *step) {
    struct vs_probe_result result = {.error = outcome < 0 ? -outcome : 0};
    snprintf(result.step, sizeof result.step, "%s", step);
    return result;
}

/// A process in a PID namespace of its own, as a container is: can it have its own root and /proc?
static int try_root(void) {
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
    if (child < 0) return -errno;
    if (child == 0) {
        char *none = NULL;
        struct start start = {.directory = "/", .owned = &none, .changes = "", .has_system = true, .cgroup = -1};
        char error[128];
        int outcome = unshare(CLONE_NEWNS) != 0 ? -errno : rootfs_build(&start, error, sizeof error);
        if (outcome == 0) outcome = seccomp_deny();
        _exit(outcome < 0 ? -outcome & 0x7F : 0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0) return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static struct vs_probe_result try_sandbox(void) {
    char error[128];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sandboxd.is_root = geteuid() == 0;
    if (!sandboxd.is_root) {
        int outcome = enter_user_namespace(0, 0, error, sizeof error);
        if (outcome < 0) return result(outcome, "user namespace");
    }
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return result(-errno, "network namespace");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return result(-errno, "mount");
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int netlink = netlink_open();
    int outcome = netlink < 0 ? -errno : link_up(netlink, "lo");
    if (outcome == 0) outcome = veth_create(netlink, "probe0", "probe1", own);
    if (outcome < 0) return result(outcome, "virtual network link");
    outcome = vs_nft_probe();
    if (outcome < 0) return result(outcome, "nf_tables");
    outcome = try_root();
    return outcome < 0 ? result(outcome, "private root") : result(0, "");
}

static void look(void *found) { *(struct vs_probe_result *)found = try_sandbox(); }

struct vs_probe_result vs_probe(void) {
    struct vs_probe_result found = result(-EAGAIN, "process");
    find_out(look, &found, sizeof found);
    return found;
}
