// Processes in pods: containers with a root of their own, and commands that join one.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(int report, struct report what, int descriptor) {
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&what, sizeof what};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    ssize_t sent = sendmsg(report, &message, MSG_NOSIGNAL);
    (void)sent;
}

enum heard hear(int report, struct report *said, int *descriptor, pid_t *sender) {
    char control[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {said, sizeof *said};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length;
    *descriptor = -1;
    while ((length = recvmsg(report, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) < 0 && errno == EINTR) {}
    if (length < 0 && errno == EAGAIN) return nothing_yet;
    if (length != sizeof *said) return the_end;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        struct ucred credentials;
        if (header->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(header), sizeof(int));
        if (header->cmsg_type != SCM_CREDENTIALS) continue;
        memcpy(&credentials, CMSG_DATA(header), sizeof credentials);
        *sender = credentials.pid;
    }
    return a_report;
}

static void fail(int report, int outcome, const char *sentence) {
    struct report what = {.kind = failure, .error = outcome < 0 ? -outcome : EIO};
    snprintf(what.sentence, sizeof what.sentence, "%s", sentence);
    say(report, what, -1);
    _exit(127);
}

/// A child that is in a control group from its first moment on.
///
/// One that is put there afterwards would wait for all processors of the machine.
static pid_t fork_into(int cgroup) {
    struct clone_args arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
    return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

/// Gives this process a copy of its mounts that only what it starts will share: by it they are known.
static void separate_files(int report) {
    if (unshare(CLONE_NEWNS) != 0) fail(report, -errno, "a mount namespace is refused");
    // Where this machine keeps its users' sessions is none of the program's business. Kernels can do without.
    if (unshare(CLONE_NEWCGROUP) != 0) {}
    int files = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    if (files < 0) fail(report, -errno, "the mount namespace cannot be opened");
    say(report, (struct report){.kind = has_files}, files);
    close(files);
}

/// A terminal of the container's own /dev/pts: its side for the program becomes the streams, the other one is handed out.
static struct streams open_terminal(int user, int report) {
    int unlocked = 0;
    int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 || ioctl(terminal, TIOCSPTLCK, &unlocked) != 0) fail(report, -errno, "a terminal cannot be opened");
    int side = ioctl(terminal, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (side < 0) fail(report, -errno, "a terminal cannot be opened");
    if (sandboxd.is_root && user > 0 && fchown(side, (uid_t)user, (gid_t)-1) != 0) {}
    say(report, (struct report){.kind = has_terminal}, terminal);
    close(terminal);
    return (struct streams){side, side, side, true};
}

static void set_streams(const struct start *start, int report) {
    struct streams streams = start->streams;
    int user = start->user, group = start->group;
    if (streams.is_terminal) streams = open_terminal(user, report);
    const int ends[] = {streams.input, streams.output, streams.errors};
    for (int index = 0; index < 3; index++) {
        struct stat status;
        // Programs open /dev/stdout anew, which asks for permission on the pipe. /dev/null is everybody's already.
        if (sandboxd.is_root && user > 0 && fstat(ends[index], &status) == 0 && S_ISFIFO(status.st_mode)) {
            if (fchown(ends[index], (uid_t)user, group > 0 ? (gid_t)group : 0) != 0) {}
        }
        dup2(ends[index], index);
    }
}

/// Runs the program; PATH is that of its own environment.
static void run_program(char **arguments, char **environment, int report) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    setsid();
    // Fails where there is no terminal.
    ioctl(0, TIOCSCTTY, 0);
    umask(022);
    setrlimit(RLIMIT_NOFILE, &sandboxd.descriptors);
    if (report != 3) {
        dup2(report, 3);
        report = 3;
    }
    fcntl(report, F_SETFD, FD_CLOEXEC);
    close_range(4, ~0U, 0);
    execvpe(arguments[0], arguments, environment);
    int error = errno;
    // execvpe looks in the PATH of this process, which is empty: the container's own has been put there by the caller.
    fail(report, -error, arguments[0]);
}

static void use_path(char **environment) {
    const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (char **entry = environment; entry && *entry; entry++) {
        if (strncmp(*entry, "PATH=", 5) == 0) path = *entry + 5;
    }
    setenv("PATH", path, 1);
}

/// What is done by a process in the namespaces that it was started for.
struct work {
    void (*body)(const struct start *start, int report);
    const struct start *start;
    int report;
    /// It is to be the first process of a PID namespace inside the one that it is started for.
    bool is_first;
};

/// Closes what sandboxd has open besides the standard streams; the program's own streams and the report stay. Other processes of
/// the pod can look at this one from here on: what it does not have nobody can take from it.
static void close_others(const struct work *work) {
    const struct streams *streams = &work->start->streams;
    int kept[] = {streams->input, streams->output, streams->errors, work->start->user_namespace, work->report};
    int first = 3;
    for (size_t left = sizeof kept / sizeof *kept; left > 0; left--) {
        int next = INT_MAX;
        for (size_t index = 0; index < sizeof kept / sizeof *kept; index++) {
            if (kept[index] >= first && kept[index] < next) next = kept[index];
        }
        if (next == INT_MAX) break;
        if (next > first) close_range((unsigned)first, (unsigned)next - 1, 0);
        first = next + 1;
    }
    close_range((unsigned)first, ~0U, 0);
}

static pid_t clone_sibling(int flags) { return (pid_t)syscall(SYS_clone, CLONE_PARENT | flags | SIGCHLD, 0, 0, 0, 0); }

static void do_work(const struct work *work) {
    close_others(work);
    // A new PID namespace is made inside that of the process that makes it.
    pid_t child = work->is_first ? clone_sibling(CLONE_NEWPID) : 0;
    if (child < 0) fail(work->report, -errno, "a process namespace is refused");
    if (child == 0) work->body(work->start, work->report);
    _exit(child > 0 ? 0 : 127);
}

/// Begins work as a child of sandboxd inside the namespaces of a process: a process that joins a PID namespace is not in it itself,
/// only its children are, so there is one in between that hands its child over (CLONE_PARENT) and ends. Returns the socket on
/// which the work reports.
static int begin_inside(int handle, int namespaces, struct work work, char *error, size_t capacity) {
    int report[2], yes = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) != 0) {
        return complain(error, capacity, "a socket cannot be made");
    }
    // In its own namespace a process has another number: the kernel translates it with each message.
    setsockopt(report[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    work.report = report[1];
    // Where it may, it shares the memory of this process, which waits for it: a copy would cost more than all that it does.
    pid_t between = work.start->cgroup < 0 ? vfork() : fork_into(work.start->cgroup);
    if (between == 0) {
        char score[16];
        snprintf(score, sizeof score, "%d", work.start->out_of_memory_score);
        // Less than its parent's it cannot be.
        if (work.start->out_of_memory_score > 0) write_file("/proc/self/oom_score_adj", score);
        // Its memory and its folders are sandboxd's until it becomes a program: nobody in the pod may look into them.
        prctl(PR_SET_DUMPABLE, 0);
        if (setns(handle, namespaces) != 0) {
            char sentence[200];
            int outcome = complain(sentence, sizeof sentence, "the pod cannot be entered");
            fail(report[1], outcome, sentence);
        }
        if (clone_sibling(0) == 0) do_work(&work);
        _exit(0);
    }
    // What it said of the memory that it shared was for its child's copy.
    prctl(PR_SET_DUMPABLE, 1);
    int outcome = between < 0 ? complain(error, capacity, "the process cannot be started") : report[0];
    close(report[1]);
    if (between < 0) close(report[0]);
    return outcome;
}

/// The last steps of a program: its folder, its user, its rights.
static void become_program(const struct start *start, int report) {
    char sentence[200] = "";
    int outcome = take_identity(start, sentence, sizeof sentence);
    if (outcome < 0) fail(report, outcome, sentence);
    use_path(start->environment);
    run_program(start->arguments, complete_environment(start), report);
}

static void container_main(const struct start *start, int report) {
    char sentence[200] = "";
    separate_files(report);
    int outcome = rootfs_build(start, sentence, sizeof sentence);
    if (outcome < 0) fail(report, outcome, sentence);
    set_streams(start, report);
    if (chdir(start->directory[0] ? start->directory : "/") != 0) {
        // Docker and containerd make a missing working directory.
        outcome = make_folders(start->directory);
        if (outcome < 0 || chdir(start->directory) != 0) {
            if (outcome < 0) errno = -outcome;
            outcome = complain(sentence, sizeof sentence, start->directory);
            fail(report, outcome, sentence);
        }
    }
    become_program(start, report);
}

int container_start(const struct start *start, char *error, size_t capacity) {
    int namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
    struct work work = {.body = container_main, .start = start};
    if (!start->neighbour) {
        // Its first process is the first of all, as in any container: with it the kernel ends the others.
        work.is_first = !start->shares_processes;
        return begin_inside(start->pod->init_handle, namespaces, work, error, capacity);
    }
    int handle = (int)syscall(SYS_pidfd_open, start->neighbour->process, 0);
    if (handle < 0) return complain(error, capacity, "the container whose processes are to be shared does not run");
    int report = begin_inside(handle, namespaces, work, error, capacity);
    close(handle);
    return report;
}

static void execution_main(const struct start *start, int report) {
    separate_files(report);
    set_streams(start, report);
    // It was there when the container started; a program may have removed it since.
    if (chdir(start->directory[0] ? start->directory : "/") != 0 && chdir("/") != 0) {}
    become_program(start, report);
}

/// The user namespace of a process; -1 where that is sandboxd's own.
static int open_user_namespace(pid_t process) {
    char path[64];
    struct stat own, its;
    snprintf(path, sizeof path, "/proc/%d/ns/user", process);
    if (stat("/proc/self/ns/user", &own) != 0 || stat(path, &its) != 0 || own.st_ino == its.st_ino) return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

int container_execute(struct program *container, const struct start *start, char *error, size_t capacity) {
    int handle = (int)syscall(SYS_pidfd_open, container->process, 0);
    if (handle < 0) return complain(error, capacity, "the container does not run");
    int namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS;
    struct start joined = *start;
    // A map of its own would make it a stranger to the container's processes: it could not look into them.
    joined.user_namespace = open_user_namespace(container->process);
    struct work work = {.body = execution_main, .start = &joined};
    int report = begin_inside(handle, namespaces, work, error, capacity);
    if (joined.user_namespace >= 0) close(joined.user_namespace);
    close(handle);
    return report;
}
