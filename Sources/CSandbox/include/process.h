#pragma once

#include <sys/types.h>

/// Waits until a process that need not be a child has ended.
///
/// Returns 0 when it has, 1 when the time is over, -1 when this kernel cannot tell (errno is set).
int vs_wait_process(pid_t process, int timeout_milliseconds);
