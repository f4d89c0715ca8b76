#pragma once

#include <stdbool.h>

/// Opens a path as a process would that has `root` as its root directory: neither `..` nor a link leads out of it.
///
/// Returns a descriptor (close-on-exec), or a negative errno.
int vs_open_inside(int root, const char *path, int flags, unsigned mode);

/// Opens a path inside of `root` (O_PATH), and makes it and the folders above it where they are missing.
///
/// Returns a descriptor, or a negative errno.
int vs_make_inside(int root, const char *path, bool is_folder);

/// Says of a folder that it hides what lower layers have in the folder of that name (overlayfs: opaque). Returns 0 or a negative
/// errno.
int vs_set_opaque(int folder);
bool vs_is_opaque(int folder);

/// Puts a name into a folder that hides what lower layers have under it (overlayfs: a whiteout). Returns 0 or a negative errno.
int vs_make_whiteout(int folder, const char *name);
