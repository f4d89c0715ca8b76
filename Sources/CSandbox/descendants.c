// Ending everything that descends from this process, without a PID namespace to do it.
#define _GNU_SOURCE 1
#include "plaind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct entry {
    pid_t process, parent;
};

/// The parent of a process, or -1. The name in `stat` may hold anything, also spaces and brackets: the last bracket ends it.
static pid_t parent_of(pid_t process) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t length = read(file, line, sizeof line - 1);
    close(file);
    if (length <= 0) return -1;
    line[length] = 0;
    char *bracket = strrchr(line, ')');
    int parent;
    return bracket && sscanf(bracket + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static size_t list_processes(struct entry **entries) {
    size_t count = 0, capacity = 0;
    DIR *folder = opendir("/proc");
    *entries = NULL;
    for (struct dirent *item; folder && (item = readdir(folder));) {
        pid_t process = atoi(item->d_name);
        pid_t parent = process > 0 ? parent_of(process) : -1;
        if (parent < 0) continue;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            struct entry *grown = realloc(*entries, capacity * sizeof *grown);
            if (!grown) break;
            *entries = grown;
        }
        (*entries)[count++] = (struct entry){process, parent};
    }
    if (folder) closedir(folder);
    return count;
}

/// Whether `process` descends from this one, over no spared process. Chains are as long as the number of processes at most.
static bool descends(const struct entry *entries, size_t count, pid_t process, bool (*is_spared)(pid_t)) {
    for (size_t steps = 0; steps <= count; steps++) {
        if (process == getpid()) return true;
        if (is_spared && is_spared(process)) return false;
        pid_t parent = -1;
        for (size_t index = 0; index < count && parent < 0; index++) {
            if (entries[index].process == process) parent = entries[index].parent;
        }
        if (parent <= 1) return parent == getpid();
        process = parent;
    }
    return false;
}

/// Kills what it finds; returns how many that were.
static size_t kill_descendants(bool (*is_spared)(pid_t)) {
    struct entry *entries;
    size_t count = list_processes(&entries), killed = 0;
    for (size_t index = 0; index < count; index++) {
        pid_t process = entries[index].process;
        if (process == getpid() || !descends(entries, count, process, is_spared)) continue;
        if (kill(process, SIGKILL) == 0) killed++;
    }
    free(entries);
    return killed;
}

int end_descendants(pid_t watched, bool (*is_spared)(pid_t process)) {
    int found = -1, status;
    // What is killed turns its children into ours; a process that forks faster is caught in the next round.
    while (kill_descendants(is_spared) > 0) {
        siginfo_t next = {0};
        // Waits for one end without taking it: it may be that of a spared process, which its owner wants to see.
        if (waitid(P_ALL, 0, &next, WEXITED | WNOWAIT) != 0) break;
        if (is_spared && is_spared(next.si_pid)) break;
        for (;;) {
            memset(&next, 0, sizeof next);
            if (waitid(P_ALL, 0, &next, WEXITED | WNOWAIT | WNOHANG) != 0 || next.si_pid == 0) break;
            if (is_spared && is_spared(next.si_pid)) break;
            pid_t process = waitpid(next.si_pid, &status, 0);
            if (process == watched && process > 0) found = status;
        }
    }
    return found;
}
