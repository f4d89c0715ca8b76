// Who a program is: its user, its rights, and what its user calls home.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Takes every capability out of reach that is not among `kept`; what is out of reach already needs no privilege.
static int limit_capabilities(uint64_t kept) {
    for (int capability = 0;; capability++) {
        if (capability < 64 && kept >> capability & 1) continue;
        int is_there = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (is_there < 0) return 0;
        if (is_there && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return -errno;
    }
}

static int set_capabilities(uint64_t wanted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) != 0) return -errno;
    for (int half = 0; half < 2; half++) {
        // More than is there cannot be had.
        sets[half].permitted &= (uint32_t)(wanted >> 32 * half);
        sets[half].effective = sets[half].permitted;
        sets[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) != 0 ? -errno : 0;
}

/// Processes and threads of all pods together, where an ordinary user runs them.
enum { processes_max = 8192 };

// The order counts: dropping capabilities for good and the filter need those of the beginning, which the change of user takes away.
int take_identity(const struct start *start, char *error, size_t capacity) {
    uid_t user = start->user > 0 ? (uid_t)start->user : 0;
    gid_t group = start->group > 0 ? (gid_t)start->group : 0;
    // A program that starts itself for ever would leave its user no process more. Root has no such limit.
    struct rlimit processes;
    if (!sandboxd.is_root && getrlimit(RLIMIT_NPROC, &processes) == 0 && processes.rlim_cur > processes_max) {
        processes.rlim_cur = processes.rlim_max = processes_max;
        setrlimit(RLIMIT_NPROC, &processes);
    }
    bool is_alone = !sandboxd.is_root && (user || group);
    if (is_alone) {
        // Inside, the user is the one who runs the cluster, and owns the pod's files; further groups cannot be had.
        int outcome = start->user_namespace < 0 ? enter_user_namespace(user, group, error, capacity)
            : setns(start->user_namespace, CLONE_NEWUSER) != 0 ? complain(error, capacity, "the container's user map cannot be entered")
            : 0;
        if (outcome < 0) return outcome;
        prctl(PR_SET_DUMPABLE, 0);
    }
    int outcome = limit_capabilities(start->capabilities);
    if (outcome == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) outcome = -errno;
    if (outcome == 0 && start->has_no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) outcome = -errno;
    if (outcome == 0 && !start->is_unfiltered) outcome = seccomp_deny();
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "privileges cannot be given up");
    }
    // Groups that are not lent cannot be had, and those of the cluster's user are none of the container's business.
    if (sandboxd.has_users && !is_alone && setgroups(start->group_count, start->groups) != 0 && setgroups(0, NULL) != 0) {
        return complain(error, capacity, "the user cannot be changed");
    }
    if (sandboxd.is_root
        && (setgroups(start->group_count, start->groups) != 0 || setresgid(group, group, group) != 0
            || setresuid(user, user, user) != 0)) {
        return complain(error, capacity, "the user cannot be changed");
    }
    outcome = set_capabilities(user ? 0 : start->capabilities);
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "privileges cannot be given up");
    }
    return 0;
}

/// The folder of a user as the container's own list of users has it: `HOME=/root`.
static char *home_of(uid_t user) {
    static char text[600] = "HOME=/";
    struct stat information;
    int file = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    FILE *list = file >= 0 && fstat(file, &information) == 0 && S_ISREG(information.st_mode) ? fdopen(file, "re") : NULL;
    for (struct passwd *entry; list && (entry = fgetpwent(list));) {
        if (entry->pw_uid != user) continue;
        snprintf(text, sizeof text, "HOME=%s", entry->pw_dir);
        break;
    }
    return text;
}

char **complete_environment(const struct start *start) {
    size_t count = 0;
    for (; start->environment[count]; count++) {
        const char *variable = start->environment[count];
        if (strncmp(variable, "HOME=", 5) == 0 && variable[5]) return start->environment;
    }
    char **complete = calloc(count + 2, sizeof *complete);
    if (!complete) return start->environment;
    size_t kept = 0;
    for (size_t index = 0; index < count; index++) {
        if (strcmp(start->environment[index], "HOME=") != 0) complete[kept++] = start->environment[index];
    }
    complete[kept] = home_of(start->user > 0 ? (uid_t)start->user : 0);
    return complete;
}
