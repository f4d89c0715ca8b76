#pragma once

#include <stdbool.h>
#include <sys/types.h>

/// Waits until a process that need not be a child has ended.
///
/// Returns 0 when it has, 1 when the time is over, -1 when this kernel cannot tell (errno is set).
int vs_wait_process(pid_t process, int timeout_milliseconds);

/// A pipe that no program started meanwhile inherits: `ends[0]` is read, `ends[1]` written.
///
/// Returns 0, or -1 with errno set.
int vs_pipe(int ends[2]);

/// Tells a terminal its size; the programs on it get SIGWINCH when it is another one.
void vs_set_window(int terminal, unsigned columns, unsigned rows);

/// Lets no SIGPIPE reach the calling thread: who writes to a pipe that nobody reads gets EPIPE.
void vs_block_broken_pipes(void);

/// Whether files in memory can have attributes of users (Linux 6.6).
///
/// Without them overlayfs, where what is changed is kept in memory, removes no folder of a layer, and makes none in place of a file: EIO.
bool vs_has_memory_attributes(void);

/// Lets no program that is started from now on inherit a descriptor that is open now, from `first` on.
void vs_close_on_exec(int first);
