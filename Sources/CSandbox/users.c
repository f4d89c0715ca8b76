// Users besides the own one, for an ordinary user's containers that run as root: images whose programs change their user need
// them. The system lends each user a range of numbers (/etc/subuid, /etc/subgid), which newuidmap and newgidmap map.
#define _GNU_SOURCE 1
#include "include/probe.h"
#include "sandboxd.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct range {
    unsigned long first, count;
};

/// The user's range in a list of `name or number:first:count`; a count of 0 where there is none.
static struct range find_range(const char *path) {
    struct range range = {0, 0};
    char line[512], name[256] = "", number[32];
    FILE *users = fopen("/etc/passwd", "re");
    for (struct passwd *entry; users && (entry = fgetpwent(users));) {
        if (entry->pw_uid == getuid()) snprintf(name, sizeof name, "%s", entry->pw_name);
    }
    if (users) fclose(users);
    snprintf(number, sizeof number, "%u", getuid());
    FILE *list = fopen(path, "re");
    while (list && !range.count && fgets(line, sizeof line, list)) {
        char *colon = strchr(line, ':');
        if (!colon) continue;
        *colon = 0;
        if ((name[0] && strcmp(line, name) == 0) || strcmp(line, number) == 0) {
            if (sscanf(colon + 1, "%lu:%lu", &range.first, &range.count) != 2) range.count = 0;
        }
    }
    if (list) fclose(list);
    // Beside root there are 65,535.
    if (range.count > 65535) range.count = 65535;
    return range;
}

static const char uid_program[] = "/usr/bin/newuidmap", gid_program[] = "/usr/bin/newgidmap";

bool vs_has_user_ranges(void) {
    return access(uid_program, X_OK) == 0 && access(gid_program, X_OK) == 0 && find_range("/etc/subuid").count
        && find_range("/etc/subgid").count;
}

/// A process that, when a byte comes, has root inside mapped to `own` and the rest to the range.
static pid_t start_mapping(const char *program, pid_t target, unsigned own, struct range range, int go[2]) {
    char words[4][24], byte;
    snprintf(words[0], sizeof words[0], "%d", target);
    snprintf(words[1], sizeof words[1], "%u", own);
    snprintf(words[2], sizeof words[2], "%lu", range.first);
    snprintf(words[3], sizeof words[3], "%lu", range.count);
    pid_t child = fork();
    if (child != 0) return child;
    int nowhere = open("/dev/null", O_RDWR);
    close(go[1]);
    if (read(go[0], &byte, 1) != 1 || nowhere < 0) _exit(1);
    for (int stream = 0; stream < 3; stream++) dup2(nowhere, stream);
    close_range(3, ~0U, 0);
    execl(program, program, words[0], "0", words[1], "1", "1", words[2], words[3], NULL);
    _exit(1);
}

static bool has_succeeded(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int enter_user_namespace(uid_t inside_user, gid_t inside_group, char *error, size_t capacity) {
    char map[64];
    uid_t user = geteuid();
    gid_t group = getegid();
    if (unshare(CLONE_NEWUSER) != 0) return complain(error, capacity, "a user namespace is refused");
    // A process that is not dumpable does not own its files in /proc, and could not write its own map.
    prctl(PR_SET_DUMPABLE, 1);
    int outcome = write_file("/proc/self/setgroups", "deny");
    if (outcome == 0) {
        snprintf(map, sizeof map, "%u %u 1", inside_user, user);
        outcome = write_file("/proc/self/uid_map", map);
    }
    if (outcome == 0) {
        snprintf(map, sizeof map, "%u %u 1", inside_group, group);
        outcome = write_file("/proc/self/gid_map", map);
    }
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the user map is refused");
    }
    return 0;
}

int enter_users(char *error, size_t capacity) {
    uid_t user = geteuid();
    gid_t group = getegid();
    int go[2];
    if (!vs_has_user_ranges() || pipe2(go, O_CLOEXEC) != 0) return enter_user_namespace(0, 0, error, capacity);
    // They have to stay outside: inside, nobody may map what is outside.
    prctl(PR_SET_DUMPABLE, 1);
    pid_t users = start_mapping(uid_program, getpid(), user, find_range("/etc/subuid"), go);
    pid_t groups = start_mapping(gid_program, getpid(), group, find_range("/etc/subgid"), go);
    bool is_inside = users > 0 && groups > 0 && unshare(CLONE_NEWUSER) == 0;
    int outcome = is_inside ? 0 : complain(error, capacity, "a user namespace is refused");
    if (is_inside && write(go[1], "  ", 2) != 2) outcome = -EIO;
    close(go[0]);
    close(go[1]);
    bool has_users = users > 0 && has_succeeded(users), has_groups = groups > 0 && has_succeeded(groups);
    if (outcome < 0) return outcome;
    if (has_users && has_groups) return 1;
    // What was refused is done as without them.
    char map[64];
    if (!has_users) {
        snprintf(map, sizeof map, "0 %u 1", user);
        outcome = write_file("/proc/self/uid_map", map);
    }
    if (!has_groups && outcome == 0) outcome = write_file("/proc/self/setgroups", "deny");
    if (!has_groups && outcome == 0) {
        snprintf(map, sizeof map, "0 %u 1", group);
        outcome = write_file("/proc/self/gid_map", map);
    }
    errno = -outcome;
    return outcome < 0 ? complain(error, capacity, "the user map is refused") : 0;
}
