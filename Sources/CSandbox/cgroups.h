// Control groups of containers, for the parts of sandboxd.
#pragma once

#include "sandboxd.h"

/// Begins to look for a place for groups; before this process enters any namespace.
void cgroups_begin(void);
/// What has something to read when the place is there; -1 where that is known or nobody is asked.
int cgroups_watch(void);
/// Takes the place in, where there is one; before anything is started, which would be in it and in the way.
void cgroups_settle(void);
/// Removes what is there for groups; this process and its groups are then as they were.
void cgroups_end(void);

/// The group that a container is to be started in, with its limits set; -1: that of this process.
int cgroup_make(struct pod *pod, const char *container, const struct amounts *amounts);
/// Of these limits, those that the group does not keep.
struct amounts cgroup_leaves(int group, struct amounts amounts);
/// Whether the kernel has ended a group because it used more memory than it may.
bool cgroup_has_killed(int group);
/// Closes a container's group, and removes it where its pod is given.
void cgroup_remove(struct pod *pod, const char *container, int group);
void cgroup_remove_pod(struct pod *pod);

// scope.c
/// Begins to ask systemd for a scope with a process in it; returns the connection, or -errno where there is nobody to ask.
int scope_ask(pid_t process);
/// Waits until it is there, or is refused, and closes the connection.
void scope_wait(int connection, pid_t process);
