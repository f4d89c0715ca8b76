#pragma once

#include <stdbool.h>

/// Control groups (version 2): where this program may make some, limits of containers are the kernel's.

/// What may be limited by control groups here; all false where there are none.
struct vs_cgroup_probe_result {
    bool has_memory;
    bool has_processor;
};

/// Finds out by making some, in a child process; nothing is left of them.
struct vs_cgroup_probe_result vs_cgroup_probe(void);

/// Removes control groups that programs of ours have left which were killed; those of running ones stay.
void vs_cgroup_sweep(void);
