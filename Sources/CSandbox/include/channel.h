#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Starts the program `sandboxd` that stands beside this one, as `sandbox`, `build` or `plain`, with one end of a SEQPACKET socket as its
/// descriptor 3, in a session of its own.
///
/// Returns its process id and the other end in `channel`; or a negative errno.
pid_t vs_channel_start(const char *role, int *channel);

/// Has `sandboxd` remove a folder with files of users that only containers have; returns 0 when it is gone, or a negative errno.
int vs_channel_remove(const char *path);

/// Sends one packet, with up to three descriptors beside it. Returns 0 or a negative errno.
int vs_channel_send(int channel, const void *bytes, size_t length, const int *descriptors, size_t count);

/// Waits for one packet. Returns its length, 0 at the end, or a negative errno; `descriptors` has room for vs_descriptors_max, and
/// `count` says how many came with it.
ssize_t vs_channel_receive(int channel, void *buffer, size_t capacity, int *descriptors, size_t *count);
