// What the two halves of level `plain` share: plaind (the control socket) and the supervisor of one container.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// A program to run under a supervisor.
struct supervised {
    /// The pod's address in 127.0.0.0/8, as a number.
    uint32_t address;
    const char *directory;
    int user;
    char **arguments;
    char **environment;
    int input;
    int output;
    int errors;
    /// The streams are a terminal, which the program is to have as its own.
    bool is_terminal;
    /// What the program leaves running when it ends goes on, until `lifeline` ends.
    bool is_execution;
};

/// What a starting program says before it runs: its process id, or why it does not run.
struct start_report {
    int error;
    pid_t process;
    char sentence[200];
};

/// Runs the program until its end; the caller is a process made for this, and is gone afterwards.
///
/// Numbers that arrive on the SEQPACKET socket `lifeline` are signals for the program; its end means that everything has to end.
/// The wait status of the program is sent on it; before that, everything a container has started is ended. `report` is closed when the program runs.
_Noreturn void supervise(const struct supervised *program, int lifeline, int report);

/// Kills all descendants of this process except those that `is_spared`, and reaps until none is left.
///
/// Returns the wait status of `watched`, if it was among them, otherwise -1. Descendants whose parents have ended are this
/// process's children (it is a subreaper), so nothing escapes.
int end_descendants(pid_t watched, bool (*is_spared)(pid_t process));

struct amounts;

// plainprograms.c
/// A container, or a command in one.
struct plain_program {
    struct plain_program *next;
    char name[192];
    char pod[64];
    /// The container of a command; empty for a container.
    char container[192];
    pid_t supervisor;
    int lifeline;
    /// It was ended because it used more memory than it may.
    bool is_out_of_memory;
    /// A command that has ended, and what it left running goes on.
    bool has_ended;
};

extern struct plain_program *programs;

struct plain_program *program_named(const char *name);
/// Starts a container, or with the name of one a command in it. Returns 0, or a negative errno with the reason in `said`.
int start_program(
    struct supervised *start, const char *name, const char *pod, const char *container, const struct amounts *amounts,
    struct start_report *said);
/// A supervisor has something to say: its program has ended, or the supervisor itself.
void finish(struct plain_program *program);
/// Ends a command with everything that it started.
void end_execution(struct plain_program *program);
/// Ends everything in a pod, or with NULL everything there is.
void remove_programs(const char *pod);

// plaind.c
/// A part of a packet.
struct field {
    const void *bytes;
    uint32_t length;
};
/// Sends a packet of small fields, and beside it a descriptor or -1.
void send_packet(uint32_t type, uint32_t id, const struct field *fields, size_t count, int descriptor);
