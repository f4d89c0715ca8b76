#pragma once

#include <stdint.h>

/// Joins TCP connections that come to sockets of this machine to connections into the cluster: a thread that waits in the kernel,
/// and no more than a few system calls for each connection. Several pumps may accept on copies of one socket.
///
/// What one side says goes to the other, and so does its end: one direction can end before the other (half-close), and a reset is a
/// reset on both sides. Nothing is read from a side while the other one does not take it; what is on its way is at most 2 MiB for each
/// direction. Every call may come from any thread.
struct vs_pump;

/// `more` is asked for so many sockets to connect with, and not again until `vs_pump_give` has been called; it must not call the pump.
/// A backend has `timeout` milliseconds to answer. Returns NULL with errno where there can be no pump.
struct vs_pump *vs_pump_start(unsigned timeout, void (*more)(void *context, unsigned count), void *context);

/// Accepts on a listening socket as soon as `vs_pump_lead` says where connections go. The socket belongs to the pump from here on, also
/// when this fails. Returns the listener's number, or a negative errno.
int vs_pump_listen(struct vs_pump *pump, int socket);

/// Where connections to a listener go from now on: `count` times u32 address, u16 port, big-endian. One of them at random, and if that
/// one does not answer, the next; when none does, they are reset. Where there are none, nobody is accepted. With an affinity,
/// connections go where the last one went for so many seconds. Returns 0 or a negative errno.
int vs_pump_lead(struct vs_pump *pump, int listener, const uint8_t *backends, unsigned count, uint32_t affinity_seconds);

/// Accepts no more. Connections that are there go on.
void vs_pump_close(struct vs_pump *pump, int listener);

/// Sockets to connect with: of the network in which backends are, non-blocking, not connected. With none of them, connections that wait
/// for one are reset.
void vs_pump_give(struct vs_pump *pump, const int *sockets, unsigned count);

/// How many connections there are, each with its two sides counted once.
unsigned vs_pump_count(struct vs_pump *pump);

/// Closes every connection and every listener, and frees the pump; returns when its thread has ended.
void vs_pump_end(struct vs_pump *pump);
