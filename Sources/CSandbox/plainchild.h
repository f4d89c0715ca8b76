// The first moments of a container's process on level `plain`.
#pragma once

#include "plaind.h"

/// Reports why a program does not run, and ends this process.
_Noreturn void plain_fail(int report, int error, const char *sentence);

/// Puts this process under the filter, hands the filter's listener over `hand`, and becomes the program.
_Noreturn void plain_child_main(const struct supervised *program, int hand, int report);

/// Takes the listener from the other end of `hand` and lets the program run; -1 if there is none.
int plain_take_listener(int hand);

/// Whether this kernel tells a supervisor about system calls: 0 or a negative errno.
int plain_probe(void);
