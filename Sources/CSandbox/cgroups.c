// Control groups (version 2) of containers: the kernel keeps limits and counts use, where this program is given a place for them.
//
// The place is a scope that systemd makes (scope.c); where nobody makes one, the group that this process is in already. There:
//
//     velocitylab-PID/            locked for as long as this process lives; without the lock it is somebody's to sweep
//         self/                   this process, because a group that has others below it may have no process itself
//         besteffort/             containers that ask for no processor and have no limits
//         podUID/NAME.ATTEMPT/    one of the others
#define _GNU_SOURCE 1
#include "cgroups.h"
#include "include/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

static const char mount_point[] = "/sys/fs/cgroup";
static const char prefix[] = "velocitylab-";

static struct {
    /// It is not known yet whether there is a place.
    bool is_open;
    /// To systemd, as long as that is so; -1: nobody is asked.
    int connection;
    bool has_memory, has_processor;
    /// The group that ours is in, and ours; -1: there is none.
    int base, top;
    /// Of containers without any of their own; -1: they stay where this process is.
    int best_effort;
    char name[32];
    /// The process that started this one came along.
    bool has_parent;
} groups = {.connection = -1, .base = -1, .top = -1, .best_effort = -1};

static int write_at(int folder, const char *name, const char *text) {
    int file = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = write(file, text, strlen(text));
    int outcome = count < 0 ? -errno : 0;
    close(file);
    return outcome;
}

static int write_number(int folder, const char *name, uint64_t number) {
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return write_at(folder, name, text);
}

static size_t read_at(int folder, const char *name, char *text, size_t capacity) {
    int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, capacity - 1);
    if (file >= 0) close(file);
    text[length > 0 ? length : 0] = 0;
    return length > 0 ? (size_t)length : 0;
}

static int open_folder(int folder, const char *name) { return openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

static int make_group(int folder, const char *name) {
    if (mkdirat(folder, name, 0755) != 0 && errno != EEXIST) return -errno;
    int group = open_folder(folder, name);
    return group < 0 ? -errno : group;
}

/// The group that a process is in, as a folder; -1 where that is out of sight.
static int open_group_of(const char *process) {
    char path[512], text[512], *line;
    snprintf(path, sizeof path, "/proc/%s/cgroup", process);
    if (!read_at(AT_FDCWD, path, text, sizeof text) || !(line = strstr(text, "0::/")) || strncmp(line, "0::/..", 6) == 0) return -1;
    line[strcspn(line, "\n")] = 0;
    // What was written before it is a hierarchy of version 1.
    if (line != text && line[-1] != '\n' && line[-1] != 0) return -1;
    if (snprintf(path, sizeof path, "%s%s", mount_point, line + 3) >= (int)sizeof path) return -1;
    return open_folder(AT_FDCWD, path);
}

/// Removes a group and those in it; what has processes stays.
static void remove_group(int folder, const char *name) {
    int group = open_folder(folder, name);
    DIR *entries = group < 0 ? NULL : fdopendir(group);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') remove_group(group, entry->d_name);
    }
    if (entries) closedir(entries);
    unlinkat(folder, name, AT_REMOVEDIR);
}

static void sweep(int base) {
    int copy = base < 0 ? -1 : open_folder(base, ".");
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (strncmp(entry->d_name, prefix, sizeof prefix - 1) != 0) continue;
        int group = open_folder(base, entry->d_name);
        if (group >= 0 && flock(group, LOCK_EX | LOCK_NB) == 0) remove_group(base, entry->d_name);
        if (group >= 0) close(group);
    }
    if (entries) closedir(entries);
}

static bool is_there(void) {
    enum { magic = 0x63677270 };
    struct statfs information;
    return statfs(mount_point, &information) == 0 && information.f_type == magic;
}

void vs_cgroup_sweep(void) {
    if (!is_there()) return;
    int own = open_group_of("self");
    sweep(own);
    if (own >= 0) close(own);
}

/// Hands a controller down to the groups of containers.
static bool enable(const char *controller) {
    // Where the groups above hand it down already, it is not ours to do so.
    write_at(groups.base, "cgroup.subtree_control", controller);
    return write_at(groups.top, "cgroup.subtree_control", controller) == 0;
}

/// Leaves everything as it was found.
static void leave(void) {
    if (groups.top < 0) return;
    static const char *const controllers[] = {"-memory", "-cpu"};
    // The group that all others are in may have processes beside groups.
    bool is_root = faccessat(groups.base, "cgroup.events", F_OK, 0) != 0;
    for (int index = 0; index < 2; index++) {
        write_at(groups.top, "cgroup.subtree_control", controllers[index]);
        if (!is_root) write_at(groups.base, "cgroup.subtree_control", controllers[index]);
    }
    write_number(groups.base, "cgroup.procs", (uint64_t)getpid());
    if (groups.has_parent) write_number(groups.base, "cgroup.procs", (uint64_t)getppid());
    remove_group(groups.base, groups.name);
    if (groups.best_effort >= 0) close(groups.best_effort);
    close(groups.top);
    close(groups.base);
    groups.top = groups.base = groups.best_effort = -1;
}

/// Whether the process that started this one is in the same group.
static bool is_with_parent(void) {
    char parent[16];
    struct stat own, other;
    snprintf(parent, sizeof parent, "%d", getppid());
    int group = getppid() > 1 ? open_group_of(parent) : -1;
    bool is_same = group >= 0 && fstat(group, &other) == 0 && fstat(groups.base, &own) == 0 && own.st_ino == other.st_ino;
    if (group >= 0) close(group);
    return is_same;
}

/// Makes a place for groups in the group that this process is in.
static void take_place(void) {
    groups.base = open_group_of("self");
    sweep(groups.base);
    snprintf(groups.name, sizeof groups.name, "%s%d", prefix, getpid());
    groups.top = groups.base < 0 ? -1 : make_group(groups.base, groups.name);
    if (groups.top < 0) return;
    flock(groups.top, LOCK_EX | LOCK_NB);
    int self = make_group(groups.top, "self");
    if (self < 0) return leave();
    int outcome = write_number(self, "cgroup.procs", (uint64_t)getpid());
    groups.has_memory = outcome == 0 && enable("+memory");
    if (outcome == 0 && !groups.has_memory && is_with_parent()) {
        groups.has_parent = write_number(self, "cgroup.procs", (uint64_t)getppid()) == 0;
        groups.has_memory = enable("+memory");
    }
    groups.has_processor = outcome == 0 && enable("+cpu");
    close(self);
    if (!groups.has_memory && !groups.has_processor) return leave();
    groups.best_effort = make_group(groups.top, "besteffort");
    if (groups.has_processor && groups.best_effort >= 0) write_at(groups.best_effort, "cpu.weight", "1");
}

void cgroups_begin(void) {
    groups.is_open = is_there();
    if (groups.is_open) groups.connection = scope_ask(getpid());
}

int cgroups_watch(void) { return groups.is_open ? groups.connection : -1; }

void cgroups_settle(void) {
    if (!groups.is_open) return;
    groups.is_open = false;
    if (groups.connection >= 0) scope_wait(groups.connection, getpid());
    take_place();
}

void cgroups_end(void) {
    if (groups.is_open && groups.connection >= 0) close(groups.connection);
    groups.is_open = false;
    leave();
}

// Pods and containers

/// What Kubernetes gives to a group: the time of a limit in each tenth of a second, and a share by what was asked for.
static void set_limits(int group, const struct amounts *amounts) {
    char text[48];
    if (groups.has_memory && amounts->memory) {
        write_number(group, "memory.max", amounts->memory);
        // Kernels without an account of swap have none of this file.
        write_at(group, "memory.swap.max", "0");
    }
    if (!groups.has_processor) return;
    write_number(group, "cpu.weight", amounts->weight ? amounts->weight : 1);
    if (!amounts->millicores) return;
    uint32_t microseconds = amounts->millicores < 10 ? 1000 : amounts->millicores * 100;
    snprintf(text, sizeof text, "%u 100000", microseconds);
    write_at(group, "cpu.max", text);
}

static int open_pod(struct pod *pod) {
    char name[96];
    if (pod->cgroup >= 0) return pod->cgroup;
    snprintf(name, sizeof name, "pod%s", pod->uid);
    pod->cgroup = make_group(groups.top, name);
    if (pod->cgroup < 0) return pod->cgroup = -1;
    if (groups.has_memory) write_at(pod->cgroup, "cgroup.subtree_control", "+memory");
    if (groups.has_processor) write_at(pod->cgroup, "cgroup.subtree_control", "+cpu");
    set_limits(pod->cgroup, &pod->amounts);
    return pod->cgroup;
}

/// The name of a container's group: of `UID/NAME/ATTEMPT`, what is after the pod's.
static bool name_group(char *name, size_t capacity, const char *container) {
    const char *slash = strchr(container, '/');
    snprintf(name, capacity, "%s", slash ? slash + 1 : container);
    for (char *at = name; (at = strchr(at, '/'));) *at = '.';
    return name[0] && name[0] != '.';
}

int cgroup_make(struct pod *pod, const char *container, const struct amounts *amounts) {
    char name[192];
    if (!has_any(amounts)) return groups.best_effort < 0 ? -1 : fcntl(groups.best_effort, F_DUPFD_CLOEXEC, 4);
    if (groups.top < 0 || !name_group(name, sizeof name, container)) return -1;
    int folder = open_pod(pod);
    int group = folder < 0 ? -1 : make_group(folder, name);
    if (group < 0) return -1;
    set_limits(group, amounts);
    if (groups.has_memory) write_at(group, "memory.oom.group", "1");
    return group;
}

struct amounts cgroup_leaves(int group, struct amounts amounts) {
    if (group >= 0 && groups.has_memory) amounts.memory = 0;
    if (group >= 0 && groups.has_processor) amounts.millicores = 0;
    return amounts;
}

bool cgroup_has_killed(int group) {
    char text[512], *line;
    if (group < 0 || !read_at(group, "memory.events", text, sizeof text) || !(line = strstr(text, "oom_kill "))) return false;
    return atoll(line + 9) > 0;
}

/// Removes a group whose processes have been killed, when the last one is gone.
static void remove_when_empty(int folder, const char *name) {
    for (int round = 0; round < 10 && unlinkat(folder, name, AT_REMOVEDIR) != 0 && errno == EBUSY; round++) {
        int group = open_folder(folder, name);
        int events = group < 0 ? -1 : openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
        struct pollfd changed = {events, POLLPRI, 0};
        char text[128];
        // The kernel tells of changes since the file was read.
        bool is_populated = events >= 0 && read(events, text, sizeof text) > 0 && strstr(text, "populated 1");
        if (is_populated && write_at(group, "cgroup.kill", "1") == 0) poll(&changed, 1, 100);
        if (events >= 0) close(events);
        if (group >= 0) close(group);
    }
}

void cgroup_remove(struct pod *pod, const char *container, int group) {
    char name[192];
    if (group < 0) return;
    close(group);
    if (pod && pod->cgroup >= 0 && name_group(name, sizeof name, container)) remove_when_empty(pod->cgroup, name);
}

void cgroup_remove_pod(struct pod *pod) {
    char name[96];
    if (pod->cgroup < 0) return;
    int copy = open_folder(pod->cgroup, ".");
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') remove_when_empty(pod->cgroup, entry->d_name);
    }
    if (entries) closedir(entries);
    close(pod->cgroup);
    pod->cgroup = -1;
    snprintf(name, sizeof name, "pod%s", pod->uid);
    remove_when_empty(groups.top, name);
}

// The probe

static void look(void *found) {
    cgroups_begin();
    cgroups_settle();
    *(struct vs_cgroup_probe_result *)found = (struct vs_cgroup_probe_result){groups.has_memory, groups.has_processor};
    cgroups_end();
}

struct vs_cgroup_probe_result vs_cgroup_probe(void) {
    struct vs_cgroup_probe_result found = {false, false};
    find_out(look, &found, sizeof found);
    return found;
}
