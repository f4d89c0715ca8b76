// The first moments of a container's process on level `plain`: its filter, its user, its streams, then its program.
#define _GNU_SOURCE 1
#include "plainchild.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the list of system calls is not checked for this architecture"
#endif

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/// Offsets of the halves of the fifth argument, the address of sendto.
enum { low = offsetof(struct seccomp_data, args[4]), high = low + 4, number = offsetof(struct seccomp_data, nr) };

/// bind, connect and sendto with an address are told to the supervisor; io_uring would go past it.
static struct sock_filter filter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
#if defined(__x86_64__)
    // The x32 calls of the same kernel have numbers of their own.
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 9, 0),
#endif
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 8, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 6, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 5, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 6),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high),
    // Not sendto, or sendto without an address (the upper half decides last).
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

void plain_fail(int report, int error, const char *sentence) {
    struct start_report failure = {.error = error};
    snprintf(failure.sentence, sizeof failure.sentence, "%s", sentence);
    if (write(report, &failure, sizeof failure) < 0) {}
    _exit(127);
}

static int install_filter(void) {
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    // Signals (a Go program gets them all the time) must not interrupt a call that the supervisor is working on.
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    int listener =
        (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
    if (listener < 0 && errno == EINVAL) listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    return listener;
}

/// `sendmsg` is not under the filter.
static int hand_over(int hand, int listener) {
    char control[CMSG_SPACE(sizeof(int))], byte = 0;
    memset(control, 0, sizeof control);
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &listener, sizeof(int));
    if (sendmsg(hand, &message, 0) != 1) return -1;
    return read(hand, &byte, 1) == 1 ? 0 : -1;
}

int plain_take_listener(int hand) {
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(hand, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int listener = -1;
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&listener, CMSG_DATA(header), sizeof(int));
    if (write(hand, &byte, 1) != 1) {}
    return listener;
}

static const char *path_of(char **environment) {
    for (char **entry = environment; entry && *entry; entry++) {
        if (strncmp(*entry, "PATH=", 5) == 0) return *entry + 5;
    }
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

void plain_child_main(const struct supervised *program, int hand, int report) {
    char sentence[200];
    // With its supervisor it ends at once, whatever happened to that.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    const int ends[] = {program->input, program->output, program->errors};
    for (int index = 0; index < 3; index++) {
        struct stat status;
        // Programs open /dev/stdout anew, which asks for permission; /dev/null is not ours to give away.
        bool is_own = program->is_terminal || (fstat(ends[index], &status) == 0 && S_ISFIFO(status.st_mode));
        if (geteuid() == 0 && program->user > 0 && is_own) {
            if (fchown(ends[index], (uid_t)program->user, (gid_t)-1) != 0) {}
        }
        dup2(ends[index], index);
    }
    if (program->is_terminal) ioctl(0, TIOCSCTTY, 0);
    if (chdir(program->directory[0] ? program->directory : "/") != 0) {
        int error = errno;
        snprintf(sentence, sizeof sentence, "%s: %s", program->directory, strerror(error));
        plain_fail(report, error == ENOENT ? ENOTDIR : error, sentence);
    }
    if (geteuid() == 0 && program->user > 0) {
        uid_t user = (uid_t)program->user;
        if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0) {
            plain_fail(report, errno, "the user cannot be changed");
        }
        // The change has cleared it.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_DUMPABLE, 1);
    }
    umask(022);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal_number = 1; signal_number < 32; signal_number++) signal(signal_number, SIG_DFL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) plain_fail(report, errno, "privileges cannot be given up");
    int listener = install_filter();
    if (listener < 0) plain_fail(report, errno, "system calls cannot be supervised");
    if (hand_over(hand, listener) != 0) plain_fail(report, EPIPE, "the supervisor has ended");
    close(hand);
    close(listener);
    if (report != 3) dup2(report, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, 4u, ~0u, 0u);
    setenv("PATH", path_of(program->environment), 1);
    execvpe(program->arguments[0], program->arguments, program->environment);
    // The name alone: the other side tells a missing program by it.
    plain_fail(3, errno, program->arguments[0]);
}

int plain_probe(void) {
    struct seccomp_notif_sizes sizes;
    return syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 ? 0 : -errno;
}
