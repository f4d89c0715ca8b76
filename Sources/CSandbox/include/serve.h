#pragma once

#include <stdbool.h>

/// What the program `sandboxd` does: it answers on descriptor 3 until that is closed, and then ends everything that it has started.
/// Each returns the status to exit with. They need a process with one thread: only that can enter a user namespace.

/// Level `sandbox`: pods in namespaces of their own.
///
/// - `has_users`: for an ordinary user, containers get the users that the system lends him, where it does.
int vs_serve_sandboxes(bool has_users);
/// Level `plain`: pods that are only supervised.
int vs_serve_plain(void);

/// Removes a folder with all that is in it, also what belongs to users that only containers have. 0, or 1 where something stays.
int vs_remove_folder(const char *path);
