// The containers of level `plain` and the commands in them, each under a supervisor of its own.
#define _GNU_SOURCE 1
#include "plaind.h"

#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { control = 3 };

struct plain_program *programs;

struct plain_program *program_named(const char *name) {
    struct plain_program *program = programs;
    while (program && strcmp(program->name, name) != 0) program = program->next;
    return program;
}

static bool is_supervisor(pid_t process) {
    for (struct plain_program *program = programs; program; program = program->next) {
        if (program->supervisor == process) return true;
    }
    return false;
}

/// Takes a program off the list; its supervisor has ended or is about to.
static void forget(struct plain_program *program) {
    for (struct plain_program **link = &programs; *link; link = &(*link)->next) {
        if (*link != program) continue;
        *link = program->next;
        break;
    }
    int end = 0;
    limits_leave(program->container, program->supervisor);
    waitpid(program->supervisor, &end, 0);
    // What a supervisor that was killed has left is ours now.
    if (end != 0) end_descendants(0, is_supervisor);
    close(program->lifeline);
    free(program);
}

/// The program of a supervisor has ended, or the supervisor has. False when the program is not on the list any more.
static bool listen_to(struct plain_program *program) {
    int32_t status = SIGKILL;
    bool has_said = recv(program->lifeline, &status, sizeof status, 0) == sizeof status;
    if (!program->has_ended) {
        limits_remove(program->name);
        int32_t is_out_of_memory = program->is_out_of_memory;
        const struct field fields[] = {
            {program->name, (uint32_t)strlen(program->name)}, {&status, sizeof status}, {&is_out_of_memory, sizeof is_out_of_memory}};
        send_packet(VS_EXITED, 0, fields, 3, -1);
    }
    program->has_ended = true;
    if (has_said && program->container[0]) return true;
    forget(program);
    return false;
}

/// Ends a command with everything that it started.
void end_execution(struct plain_program *program) {
    shutdown(program->lifeline, SHUT_WR);
    while (listen_to(program)) {}
}

/// Ends the commands that were run in a container: it has ended itself.
static void end_executions(const char *container) {
    for (struct plain_program *program = programs, *next; program; program = next) {
        next = program->next;
        if (strcmp(program->container, container) == 0) end_execution(program);
    }
}

void finish(struct plain_program *program) {
    char name[sizeof program->name];
    memcpy(name, program->name, sizeof name);
    bool is_container = !program->container[0];
    listen_to(program);
    if (is_container) end_executions(name);
}

/// In the supervisor's process: only what it needs stays open.
static _Noreturn void become_supervisor(struct supervised *program, int lifeline, int report) {
    enum { kept = 5 };
    int wanted[kept] = {lifeline, report, program->input, program->output, program->errors}, moved[kept];
    for (int index = 0; index < kept; index++) moved[index] = fcntl(wanted[index], F_DUPFD_CLOEXEC, 20);
    for (int index = 0; index < kept; index++) {
        dup2(moved[index], control + index);
        fcntl(control + index, F_SETFD, FD_CLOEXEC);
    }
    syscall(SYS_close_range, (unsigned)(control + kept), ~0u, 0u);
    program->input = control + 2;
    program->output = control + 3;
    program->errors = control + 4;
    supervise(program, control, control + 1);
}

int start_program(
    struct supervised *start, const char *name, const char *pod, const char *container, const struct amounts *amounts,
    struct start_report *said) {
    int report[2], lifeline[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -errno;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lifeline) != 0) {
        close(report[0]);
        close(report[1]);
        return -ENFILE;
    }
    pid_t supervisor = fork();
    if (supervisor == 0) become_supervisor(start, lifeline[1], report[1]);
    close(report[1]);
    close(lifeline[1]);
    struct start_report part;
    memset(said, 0, sizeof *said);
    // Ends when the program runs: the pipe closes on exec.
    while (supervisor > 0 && read(report[0], &part, sizeof part) == sizeof part) {
        if (said->error == 0) *said = part;
    }
    close(report[0]);
    struct plain_program *program = said->error || supervisor < 0 ? NULL : calloc(1, sizeof *program);
    if (!program) {
        close(lifeline[0]);
        if (supervisor > 0) waitpid(supervisor, NULL, 0);
        said->sentence[sizeof said->sentence - 1] = 0;
        return said->error ? -said->error : -EAGAIN;
    }
    *program = (struct plain_program){.next = programs, .supervisor = supervisor, .lifeline = lifeline[0]};
    snprintf(program->name, sizeof program->name, "%s", name);
    snprintf(program->pod, sizeof program->pod, "%s", pod);
    snprintf(program->container, sizeof program->container, "%s", container);
    programs = program;
    const struct limits_of limits = {
        .name = program->name, .amounts = *amounts, .process = said->process, .supervisor = supervisor,
        .is_out_of_memory = &program->is_out_of_memory};
    if (container[0]) limits_join(container, supervisor); else limits_add(&limits, now_milliseconds());
    return 0;
}

void remove_programs(const char *pod) {
    for (struct plain_program *program = programs; program; program = program->next) {
        // Its end of the lifeline sees the end; ours still receives the status.
        if (!pod || strcmp(program->pod, pod) == 0) shutdown(program->lifeline, SHUT_WR);
    }
    // Commands are before their containers on the list.
    for (struct plain_program *program = programs, *next; program; program = next) {
        next = program->next;
        if (pod && strcmp(program->pod, pod) != 0) continue;
        if (program->container[0]) end_execution(program); else finish(program);
    }
}
