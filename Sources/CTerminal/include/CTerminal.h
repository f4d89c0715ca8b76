#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Remembers the terminal's settings and restores them, with the main screen and a visible cursor, when a signal ends
/// the process (crash, SIGTERM, SIGHUP, SIGQUIT, SIGABRT). The signal then takes its usual course.
void ct_guard_install(void);

/// Stops guarding: the screen has been left in the ordinary way.
void ct_guard_remove(void);

/// Waits until standard input can be read, `wake` can be read, or the time is over.
///
/// Returns bit 0 for input, bit 1 for wake, 0 for the time-out; a signal (a changed window size) counts as input.
int ct_wait(int wake, int timeout_milliseconds);

/// Runs a program in the foreground on this terminal, with SIGINT and SIGQUIT left to it, and waits for it.
///
/// Returns its wait status, or -1 with errno set when it could not be started.
int ct_run_foreground(const char *path, char *const arguments[], char *const environment[], const char *directory);

/// Whether standard input has ended: the terminal was closed.
bool ct_input_closed(void);
