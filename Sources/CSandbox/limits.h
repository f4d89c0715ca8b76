// The limits of containers that no control group keeps, for sandboxd and plaind.
#pragma once

#include "sandboxd.h"

/// A container whose limits are to be watched, and what is known of it.
struct limits_of {
    const char *name;
    struct amounts amounts;
    /// What ends the container when it is killed.
    pid_t process;
    /// Its processes are those below this one and below those of its commands; 0: `process` and what is below, and its commands
    /// themselves.
    pid_t supervisor;
    /// Becomes true before the container is killed because it uses more memory than it may.
    bool *is_out_of_memory;
    /// Volumes in memory that count, too; ended by NULL, and taken over with their texts. NULL: none.
    char **volumes;
    /// What the container keeps is in memory.
    bool has_root_in_memory;
};

/// Begins to watch over a container, if it has limits; times are milliseconds.
void limits_add(const struct limits_of *of, int64_t now);
/// A command has been started in a container, or has ended: its process, or that process's supervisor.
void limits_join(const char *container, pid_t process);
void limits_leave(const char *container, pid_t process);
/// Stops watching over a container; names of others are no matter.
void limits_remove(const char *name);
/// Does what is due; returns the milliseconds until there is more to do, or -1 where nobody has limits.
int64_t limits_look(int64_t now);
