// What the two sides of a connection say to each other.
#define _GNU_SOURCE 1
#include "pumpstate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void pump_give_back(struct vs_pump *pump, struct side *side) {
    if (pump->spare) free(side->held);
    else pump->spare = side->held;
    side->held = NULL;
}

static void hold(struct vs_pump *pump, struct side *to, const uint8_t *bytes, size_t length) {
    to->held = pump->spare ? pump->spare : malloc(held_max);
    pump->spare = NULL;
    if (!to->held) return;
    memcpy(to->held, bytes, length);
    to->start = 0;
    to->length = length;
}

/// Says to a side what it has not taken yet; false when it still does not take all of it, or the connection has ended.
static bool flush(struct vs_pump *pump, struct connection *c, struct side *to) {
    while (to->length > 0) {
        ssize_t count = send(to->socket, to->held + to->start, to->length, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN) pump_end(pump, c, true);
        if (count < 0) return false;
        to->start += (size_t)count;
        to->length -= (size_t)count;
    }
    return true;
}

/// Tells a side that the other one says no more. When nobody has more to say, the connection has ended.
static void pass_end(struct vs_pump *pump, struct connection *c, struct side *from, struct side *to) {
    if (to->has_ended && from->is_shut) return pump_end(pump, c, false);
    if (!to->is_shut) shutdown(to->socket, SHUT_WR);
    to->is_shut = true;
}

/// Reads what a side says, as much as comes while that is being read: who says much is not to wake the other side for each piece of it.
/// Returns 0 with how much it was, and -errno with what came before the error. `is_drained`: that was all for now.
static int hear_out(const struct side *from, uint8_t *buffer, size_t *length, bool *is_drained) {
    *length = 0;
    *is_drained = false;
    while (*length < held_max) {
        ssize_t count = recv(from->socket, buffer + *length, held_max - *length, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN) return -errno;
        if (count == 0) return 0;
        if (count > 0) *length += (size_t)count;
        if (count >= much) continue;
        // The kernel tells when there is more.
        *is_drained = true;
        return 0;
    }
    return 0;
}

void pump_move(struct vs_pump *pump, struct connection *c, int speaker) {
    struct side *from = &c->sides[speaker], *to = &c->sides[!speaker];
    for (int turn = 0; turn < turns_max; turn++) {
        if (!flush(pump, c, to)) return;
        if (from->has_ended) return pass_end(pump, c, from, to);
        uint8_t *buffer = to->held ? to->held : pump->buffer;
        size_t length;
        bool is_drained;
        int outcome = hear_out(from, buffer, &length, &is_drained);
        if (outcome == 0 && length == 0 && is_drained) {
            if (to->held) pump_give_back(pump, to);
            return;
        }
        from->has_ended = outcome == 0 && !is_drained && length == 0;
        if (to->held) {
            to->start = 0;
            to->length = length;
        } else if (length > 0) {
            ssize_t taken = send(to->socket, buffer, length, MSG_NOSIGNAL);
            if (taken < 0 && errno != EAGAIN && errno != EINTR) return pump_end(pump, c, true);
            if (taken < 0) taken = 0;
            if ((size_t)taken < length) hold(pump, to, buffer + taken, length - (size_t)taken);
            if ((size_t)taken < length && !to->held) return pump_end(pump, c, true);
        }
        if (outcome < 0) {
            flush(pump, c, to);
            if (c->state != is_closed) pump_end(pump, c, true);
            return;
        }
        if (is_drained && to->length == 0 && !from->is_ending) return;
    }
    if (c->has_more) return;
    c->has_more = true;
    c->following = pump->unfinished;
    pump->unfinished = c;
}
