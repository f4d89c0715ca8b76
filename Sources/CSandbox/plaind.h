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
    int output;
    int errors;
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
/// The wait status of the program is sent on it when nothing of the container is left. `report` is closed when the program runs.
_Noreturn void supervise(const struct supervised *program, int lifeline, int report);

/// Kills all descendants of this process except those that `is_spared`, and reaps until none is left.
///
/// Returns the wait status of `watched`, if it was among them, otherwise -1. Descendants whose parents have ended are this
/// process's children (it is a subreaper), so nothing escapes.
int end_descendants(pid_t watched, bool (*is_spared)(pid_t process));
