// Limits of memory and processor time where no control group keeps them: on many machines an ordinary user has none to write to,
// and level `plain` has none.
//
// Looks at the containers that have limits, and at no other; nothing is done while there is none. One that has not run since the
// last look can have changed nothing, which its processes' clocks tell with a system call each. Measured ways: memory that
// grows at full speed is seen within 10 to 50 ms; stopping and continuing keeps a limit of 200m to 0.20 cores.
#define _GNU_SOURCE 1
#include "limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

enum { idle_milliseconds = 50, busy_milliseconds = 10, stop_milliseconds_max = 500, processes_max = 4096 };

struct processes {
    pid_t *list;
    size_t count, capacity;
};

struct limited {
    struct limited *next;
    struct limits_of of;
    char name[192];
    /// Of its commands: their processes, or the supervisors of those.
    struct processes commands;
    /// The processes at the last look, and the sum of their clocks then.
    struct processes processes;
    int64_t clocks;
    /// Nanoseconds of processor time, with that of children that have ended.
    int64_t used;
    /// Nanoseconds that may be used at once; negative: used too soon.
    int64_t credit;
    /// Milliseconds.
    int64_t last, next_look;
    bool is_new, is_stopped;
    /// A command has come into the container or left it.
    bool has_changed;
};
static struct limited *limited;

static size_t read_small(const char *path, char *text, size_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, capacity - 1);
    close(file);
    text[length > 0 ? length : 0] = 0;
    return length > 0 ? (size_t)length : 0;
}

static void add_process(struct processes *processes, pid_t process) {
    if (processes->count == processes_max) return;
    if (processes->count == processes->capacity) {
        size_t capacity = processes->capacity ? processes->capacity * 2 : 8;
        pid_t *grown = realloc(processes->list, capacity * sizeof *grown);
        if (!grown) return;
        processes->list = grown;
        processes->capacity = capacity;
    }
    processes->list[processes->count++] = process;
}

/// Adds the children of every thread of a process.
static void add_children(struct processes *processes, pid_t process) {
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    for (struct dirent *thread; threads && (thread = readdir(threads));) {
        if (thread->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", process, thread->d_name);
        read_small(path, text, sizeof text);
        char *rest = text;
        for (char *word; (word = strtok_r(rest, " ", &rest));) add_process(processes, atoi(word));
    }
    if (threads) closedir(threads);
}

/// What runs in a container: what comes from its first process, and from the commands in it.
static void list_processes(struct limited *entry) {
    struct processes *processes = &entry->processes;
    pid_t supervisor = entry->of.supervisor;
    processes->count = 0;
    if (supervisor) add_children(processes, supervisor); else add_process(processes, entry->of.process);
    for (size_t index = 0; index < entry->commands.count; index++) {
        (supervisor ? add_children : add_process)(processes, entry->commands.list[index]);
    }
    for (size_t index = 0; index < processes->count; index++) add_children(processes, processes->list[index]);
}

static int64_t sum_of_clocks(const struct processes *processes) {
    int64_t sum = 0;
    for (size_t index = 0; index < processes->count; index++) {
        clockid_t clock;
        struct timespec time;
        if (clock_getcpuclockid(processes->list[index], &clock) != 0 || clock_gettime(clock, &time) != 0) continue;
        sum += (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    }
    return sum;
}

/// Nanoseconds of children that have ended and been waited for.
static int64_t ended_time(pid_t process) {
    char path[64], text[1024];
    long user, system;
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    if (!read_small(path, text, sizeof text)) return 0;
    // The name may hold anything, also spaces and brackets: the last bracket ends it.
    char *end = strrchr(text, ')');
    if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld", &user, &system) != 2) return 0;
    return (user + system) * (1000000000 / sysconf(_SC_CLK_TCK));
}

static uint64_t file_bytes(const char *path) {
    struct statfs information;
    if (statfs(path, &information) != 0) return 0;
    return (uint64_t)(information.f_blocks - information.f_bfree) * (uint64_t)information.f_bsize;
}

/// Memory that a container has for itself: what its processes do not share with files on disk, and its files in memory.
static uint64_t memory_of(const struct limited *entry) {
    uint64_t pages = 0, bytes = 0;
    char path[64], text[256];
    for (size_t index = 0; index < entry->processes.count; index++) {
        unsigned long resident, shared;
        snprintf(path, sizeof path, "/proc/%d/statm", entry->processes.list[index]);
        if (read_small(path, text, sizeof text) && sscanf(text, "%*u %lu %lu", &resident, &shared) == 2 && resident > shared) {
            pages += resident - shared;
        }
    }
    // Where containers have supervisors, they have no files in memory of their own.
    snprintf(path, sizeof path, "/proc/%d/root/dev/shm", entry->of.process);
    if (!entry->of.supervisor) bytes += file_bytes(path);
    snprintf(path, sizeof path, "/proc/%d/root/", entry->of.process);
    if (entry->of.has_root_in_memory) bytes += file_bytes(path);
    for (char **volume = entry->of.volumes; volume && *volume; volume++) bytes += file_bytes(*volume);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE) + bytes;
}

static void send_all(struct limited *entry, int number) {
    for (size_t index = 0; index < entry->processes.count; index++) kill(entry->processes.list[index], number);
}

/// Stops a container that has used more than is due to it, until it is due. Returns the milliseconds until the next look.
static int64_t throttle(struct limited *entry, int64_t used, int64_t passed) {
    int64_t rate = entry->of.amounts.millicores * 1000;  // Nanoseconds for each millisecond
    entry->credit += passed * rate - used;
    // Nothing is saved up for longer than the period of the kernel's own scheduler, and no debt is kept for ever.
    if (entry->credit > 100 * rate) entry->credit = 100 * rate;
    if (entry->credit < -1000 * rate) entry->credit = -1000 * rate;
    if (entry->credit < 0) {
        send_all(entry, SIGSTOP);
        entry->is_stopped = true;
        int64_t wait = -entry->credit / rate + 1;
        return wait < stop_milliseconds_max ? wait : stop_milliseconds_max;
    }
    if (entry->is_stopped) send_all(entry, SIGCONT);
    entry->is_stopped = false;
    return busy_milliseconds;
}

/// Returns the milliseconds until the next look.
static int64_t look(struct limited *entry, int64_t now) {
    int64_t passed = now - entry->last;
    entry->last = now;
    if (!entry->is_new && !entry->is_stopped && !entry->has_changed && sum_of_clocks(&entry->processes) == entry->clocks) {
        if (entry->of.amounts.millicores) throttle(entry, 0, passed);
        return idle_milliseconds;
    }
    list_processes(entry);
    entry->clocks = sum_of_clocks(&entry->processes);
    int64_t used = entry->clocks, wait = idle_milliseconds;
    for (size_t index = 0; index < entry->processes.count; index++) used += ended_time(entry->processes.list[index]);
    // What a process used that nobody waits for is forgotten with it.
    int64_t more = entry->is_new || used < entry->used ? 0 : used - entry->used;
    entry->used = used;
    entry->is_new = entry->has_changed = false;
    if (entry->of.amounts.memory) {
        uint64_t memory = memory_of(entry);
        if (memory > entry->of.amounts.memory) {
            *entry->of.is_out_of_memory = true;
            kill(entry->of.process, SIGKILL);
            return idle_milliseconds;
        }
        // No program fills a gigabyte in less than a second.
        int64_t left = (int64_t)((entry->of.amounts.memory - memory) >> 20);
        wait = left < busy_milliseconds ? busy_milliseconds : left < idle_milliseconds ? left : idle_milliseconds;
    }
    if (entry->of.amounts.millicores) {
        int64_t next = throttle(entry, more, passed);
        if (entry->is_stopped || next < wait) wait = next;
    }
    return wait;
}

static void free_volumes(char **volumes) {
    for (char **volume = volumes; volume && *volume; volume++) free(*volume);
    free(volumes);
}

void limits_add(const struct limits_of *of, int64_t now) {
    bool has_any = of->amounts.memory || of->amounts.millicores;
    struct limited *entry = has_any ? calloc(1, sizeof *entry) : NULL;
    if (!entry) return free_volumes(of->volumes);
    *entry = (struct limited){.next = limited, .of = *of, .last = now, .next_look = now, .is_new = true};
    snprintf(entry->name, sizeof entry->name, "%s", of->name);
    limited = entry;
}

static struct limited *limited_named(const char *name) {
    struct limited *entry = limited;
    while (entry && strcmp(entry->name, name) != 0) entry = entry->next;
    return entry;
}

void limits_join(const char *container, pid_t process) {
    struct limited *entry = limited_named(container);
    if (!entry) return;
    add_process(&entry->commands, process);
    entry->has_changed = true;
}

void limits_leave(const char *container, pid_t process) {
    struct limited *entry = limited_named(container);
    if (!entry) return;
    struct processes *commands = &entry->commands;
    for (size_t index = 0; index < commands->count; index++) {
        if (commands->list[index] != process) continue;
        commands->list[index] = commands->list[--commands->count];
        break;
    }
    entry->has_changed = true;
}

void limits_remove(const char *name) {
    for (struct limited **link = &limited; *link; link = &(*link)->next) {
        struct limited *entry = *link;
        if (strcmp(entry->name, name) != 0) continue;
        *link = entry->next;
        free_volumes(entry->of.volumes);
        free(entry->processes.list);
        free(entry->commands.list);
        free(entry);
        return;
    }
}

int64_t limits_look(int64_t now) {
    int64_t next = -1;
    for (struct limited *entry = limited; entry; entry = entry->next) {
        if (entry->next_look <= now) entry->next_look = now + look(entry, now);
        int64_t wait = entry->next_look - now;
        if (next < 0 || wait < next) next = wait;
    }
    return next;
}
