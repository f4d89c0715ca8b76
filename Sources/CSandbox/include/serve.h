#pragma once

/// What the program `sandboxd` does: it answers on descriptor 3 until that is closed, and then ends everything that it has started.
/// Each returns the status to exit with. They need a process with one thread: only that can enter a user namespace.

/// Level `sandbox`: pods in namespaces of their own.
int vs_serve_sandboxes(void);
/// Level `plain`: pods that are only supervised.
int vs_serve_plain(void);
