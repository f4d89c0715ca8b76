// Containers and the commands in them, and what they leave running. All processes of one are in a mount namespace of its own,
// which no program can leave (seccomp.c), whatever else it does: a new session, a new parent, another name.
#define _GNU_SOURCE 1
#include "cgroups.h"
#include "limits.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ino_t files_of(const char *process) {
    char path[300];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%s/ns/mnt", process);
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

void end_leftovers(ino_t files) {
    if (!files) return;
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

struct program *find_program(const char *name) {
    struct program *program = sandboxd.programs;
    while (program && strcmp(program->name, name) != 0) program = program->next;
    return program;
}

struct program *add_program(const char *name, const char *pod, const char *container, pid_t process, int files, int cgroup) {
    struct program *program = calloc(1, sizeof *program);
    if (!program) {
        close(files);
        if (cgroup >= 0) close(cgroup);
        return NULL;
    }
    struct stat status;
    snprintf(program->name, sizeof program->name, "%s", name);
    snprintf(program->pod, sizeof program->pod, "%s", pod);
    snprintf(program->container, sizeof program->container, "%s", container);
    program->process = process;
    program->files_handle = files;
    program->cgroup = cgroup;
    program->files = fstat(files, &status) == 0 ? status.st_ino : 0;
    program->next = sandboxd.programs;
    sandboxd.programs = program;
    return program;
}

static void drop_group(struct program *program) {
    cgroup_remove(find_pod(program->pod), program->name, program->cgroup);
    program->cgroup = -1;
}

void forget_program(struct program *program) {
    for (struct program **link = &sandboxd.programs; *link; link = &(*link)->next) {
        if (*link != program) continue;
        *link = program->next;
        break;
    }
    limits_remove(program->name);
    if (program->files_handle >= 0) close(program->files_handle);
    drop_group(program);
    free(program);
}

void forget_executions(void) {
    for (struct program *program = sandboxd.programs; program; program = program->next) program->is_left = false;
    DIR *folder = opendir("/proc");
    if (!folder) return;
    for (struct dirent *item; (item = readdir(folder));) {
        ino_t files = atoi(item->d_name) > 1 ? files_of(item->d_name) : 0;
        for (struct program *program = sandboxd.programs; files && program; program = program->next) {
            if (program->files == files) program->is_left = true;
        }
    }
    closedir(folder);
    for (struct program *program = sandboxd.programs, *next; program; program = next) {
        next = program->next;
        if (program->is_released && program->has_ended && !program->is_left) forget_program(program);
    }
}

/// Ends what is left of a container and of the commands that were run in it.
static void end_container(struct program *container) {
    // Everything in a PID namespace has ended when its first process has.
    if (!container->is_first) end_leftovers(container->files);
    for (struct program *program = sandboxd.programs, *next; program; program = next) {
        next = program->next;
        if (strcmp(program->container, container->name) != 0) continue;
        if (!container->is_first) end_leftovers(program->files);
        program->is_released = true;
        // One that runs is forgotten when its end is seen.
        if (program->has_ended) forget_program(program);
    }
}

void report_exit(pid_t process, int status) {
    struct program *program = sandboxd.programs;
    while (program && (program->process != process || program->has_ended)) program = program->next;
    if (!program) return births_note_exit(process, status);
    program->has_ended = true;
    if (program->has_own_cgroup && cgroup_has_killed(program->cgroup)) program->is_out_of_memory = true;
    // Nothing of it is to be stopped or killed any more: its number may be another process's soon.
    limits_remove(program->name);
    limits_leave(program->container, program->process);
    if (!program->container[0]) end_container(program);
    drop_group(program);
    tell_exit(program, status);
    if (!program->container[0] || program->is_released) forget_program(program);
}
