// Processes in pods: containers with a root of their own, and commands that join one.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// What a new process says before its program runs: which files it sees, or errno and a sentence.
struct report {
    int error;
    ino_t files;
    char sentence[200];
};

static void say(int report, const struct report *what) {
    ssize_t written = write(report, what, sizeof *what);
    (void)written;
}

static void fail(int report, int outcome, const char *sentence) {
    struct report failure = {.error = outcome < 0 ? -outcome : EIO};
    snprintf(failure.sentence, sizeof failure.sentence, "%s", sentence);
    say(report, &failure);
    _exit(127);
}

/// The mount namespace of a process, or 0; the dead have none.
static ino_t files_of(const char *process) {
    char path[300];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%s/ns/mnt", process);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

/// Takes every capability out of reach; what is out of reach already needs no privilege.
static int drop_bounding_set(void) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            return -errno;
        }
    }
    return 0;
}

/// No capability, now or ever; no new privileges by running a program; no system call that makes namespaces or mounts.
static int give_up_privileges(void) {
    int outcome = drop_bounding_set();
    if (outcome < 0) return outcome;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    if (syscall(SYS_capset, &header, none) != 0) return -errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    return seccomp_deny();
}

static int become_user(int user, char *error, size_t capacity) {
    if (user <= 0) return 0;
    if (!sandboxd.is_root) return enter_user_namespace((uid_t)user, error, capacity);
    // The change of user takes the capabilities away that dropping them needs.
    if (drop_bounding_set() != 0 || setgroups(0, NULL) != 0 || setresgid((gid_t)user, (gid_t)user, (gid_t)user) != 0
        || setresuid((uid_t)user, (uid_t)user, (uid_t)user) != 0) {
        return complain(error, capacity, "the user cannot be changed");
    }
    return 0;
}

static void set_streams(int output, int errors, int user) {
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (sandboxd.is_root && user > 0) {
        // Programs open /dev/stdout anew, which asks for permission on the pipe.
        if (fchown(output, (uid_t)user, (gid_t)user) != 0 || fchown(errors, (uid_t)user, (gid_t)user) != 0) {}
    }
    dup2(input, 0);
    dup2(output, 1);
    dup2(errors, 2);
}

/// Runs the program; PATH is that of its own environment.
static void run_program(char **arguments, char **environment, int report) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    setsid();
    umask(022);
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

/// Starts `body` as a child of sandboxd inside the namespaces of `process`: a process that joins a PID namespace is not in it
/// itself, only its children are, so there is one in between that hands its child over (CLONE_PARENT) and ends.
///
/// `files`, where it is wanted, becomes the mount namespace that the child says it is in.
static pid_t spawn_inside(
    int handle, int namespaces, void (*body)(void *context, int report), void *context, ino_t *files, char *error,
    size_t capacity) {
    int report[2], born[2];
    if (pipe2(report, O_CLOEXEC) != 0) return complain(error, capacity, "a pipe cannot be made");
    if (pipe2(born, O_CLOEXEC) != 0) {
        close(report[0]);
        close(report[1]);
        return complain(error, capacity, "a pipe cannot be made");
    }
    pid_t between = fork();
    if (between == 0) {
        if (setns(handle, namespaces) != 0) {
            char sentence[200];
            int outcome = complain(sentence, sizeof sentence, "the pod cannot be entered");
            fail(report[1], outcome, sentence);
        }
        pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            body(context, report[1]);
            _exit(127);
        }
        ssize_t written = write(born[1], &child, sizeof child);
        (void)written;
        _exit(0);
    }
    close(report[1]);
    close(born[1]);
    pid_t child = -1;
    struct report said = {0};
    if (between < 0 || read(born[0], &child, sizeof child) != sizeof child) child = -1;
    // Ends when the program runs (the pipe closes on exec) or says why not.
    while (read(report[0], &said, sizeof said) == sizeof said && !said.error) {
        if (files) *files = said.files;
    }
    close(report[0]);
    close(born[0]);
    if (between > 0) waitpid(between, NULL, 0);
    if (said.error) {
        if (child > 0) waitpid(child, NULL, __WALL);
        said.sentence[sizeof said.sentence - 1] = 0;
        snprintf(error, capacity, "%s", said.sentence);
        return -said.error;
    }
    if (child <= 0) {
        snprintf(error, capacity, "the process cannot be started");
        return -EAGAIN;
    }
    return child;
}

static void container_main(void *context, int report) {
    const struct start *start = context;
    char sentence[200] = "";
    if (unshare(CLONE_NEWNS) != 0) fail(report, -errno, "a mount namespace is refused");
    struct report files = {.files = files_of("self")};
    say(report, &files);
    int outcome = rootfs_build(start, sentence, sizeof sentence);
    if (outcome < 0) fail(report, outcome, sentence);
    set_streams(start->output, start->errors, start->user);
    if (chdir(start->directory[0] ? start->directory : "/") != 0) {
        // Docker and containerd make a missing working directory.
        if (mkdir(start->directory, 0755) != 0 || chdir(start->directory) != 0) {
            outcome = complain(sentence, sizeof sentence, start->directory);
            fail(report, outcome, sentence);
        }
    }
    outcome = become_user(start->user, sentence, sizeof sentence);
    if (outcome < 0) fail(report, outcome, sentence);
    use_path(start->environment);
    outcome = give_up_privileges();
    if (outcome < 0) fail(report, outcome, "privileges cannot be given up");
    run_program(start->arguments, start->environment, report);
}

pid_t container_start(const struct start *start, ino_t *files, char *error, size_t capacity) {
    int namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
    return spawn_inside(start->pod->init_handle, namespaces, container_main, (void *)start, files, error, capacity);
}

struct execution {
    char **arguments;
    char **environment;
    int output;
    int errors;
};

static void execution_main(void *context, int report) {
    const struct execution *execution = context;
    set_streams(execution->output, execution->errors, 0);
    use_path(execution->environment);
    if (give_up_privileges() < 0) fail(report, -EPERM, "privileges cannot be given up");
    run_program(execution->arguments, execution->environment, report);
}

pid_t container_execute(
    struct program *container, char **arguments, char **environment, int output, int errors, char *error, size_t capacity) {
    int handle = (int)syscall(SYS_pidfd_open, container->process, 0);
    if (handle < 0) return complain(error, capacity, "the container does not run");
    struct execution execution = {arguments, environment, output, errors};
    int namespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS;
    pid_t process = spawn_inside(handle, namespaces, execution_main, &execution, NULL, error, capacity);
    close(handle);
    return process;
}

void end_leftovers(ino_t files) {
    // What is killed may have started something a moment before; the next round finds that.
    for (bool found = true; found;) {
        found = false;
        DIR *folder = opendir("/proc");
        for (struct dirent *item; folder && (item = readdir(folder));) {
            pid_t process = atoi(item->d_name);
            if (process <= 1 || files_of(item->d_name) != files) continue;
            found = kill(process, SIGKILL) == 0 || found;
        }
        if (folder) closedir(folder);
        if (found) sched_yield();
    }
}
