// What the parts of the pump share.
#pragma once

#include "include/pump.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /// Bulk goes through in large pieces: each wakes up who says it and who hears it.
    held_max = 2 * 1024 * 1024,
    /// Sockets in store, at first and for those who need many.
    pool_least = 8,
    pool_max = 64,
    events_max = 128,
    /// Who says so much at a time will say more.
    much = 16 * 1024,
    /// So often in a row one direction may go on before it is somebody else's turn.
    turns_max = 16,
    /// The pause before the next try where descriptors have run out.
    pause_milliseconds = 100,
};

/// The backends of a listener, for all connections that began while they were the ones.
struct target {
    unsigned uses, count;
    uint32_t affinity_seconds;
    struct sockaddr_in backends[];
};

struct listener {
    struct listener *next;
    int number, socket;
    struct target *target;
    /// With an affinity: where the last connection went, and until when the next one follows it.
    struct sockaddr_in kept;
    int64_t kept_until;
    /// It waits for connections; descriptors have run out, and it will wait again.
    bool is_open, is_paused;
};

struct side {
    int socket;
    /// The end of what it says has come, and has been read; it is told no more.
    bool is_ending, has_ended, is_shut;
    /// What it has not taken yet: `length` bytes from `start` on. The memory is kept for what comes as long as something comes.
    uint8_t *held;
    size_t start, length;
};

enum { client, server };

enum state { is_waiting, is_connecting, is_joined, is_closed };

struct connection {
    enum state state;
    /// In the line of its state.
    struct connection *before, *after;
    /// In the list of those that have more to say than fits into their turn.
    struct connection *following;
    bool has_more;
    struct side sides[2];
    struct target *target;
    /// Whose it is, unless that has been closed.
    int listener;
    unsigned first, tried;
    int64_t deadline;
};

struct line {
    struct connection *head, *tail;
};

struct vs_pump {
    pthread_mutex_t lock;
    pthread_t thread;
    int epoll, bell;
    void (*more)(void *context, unsigned count);
    void *context;
    /// For a backend to answer, in milliseconds: the same for all, so that the first to begin is the first to give up.
    unsigned timeout;

    bool is_ending, has_asked;
    /// When those who stopped accepting begin again; 0: nobody has.
    int64_t resumption;
    int last_number;
    uint64_t random;
    struct listener *listeners;
    /// Events may be about one that has been closed meanwhile, too.
    struct listener *closed_listeners;
    /// By state.
    struct line lines[4];
    unsigned count;
    struct connection *unfinished;
    /// Sockets to connect with, and how many of them there are to be.
    int pool[pool_max];
    unsigned pooled, store;
    uint8_t buffer[held_max];
    /// The memory of a side that needs it no more.
    uint8_t *spare;
};

/// Who waits for events of a descriptor: a listener, or a side of a connection; the lowest bits tell.
enum { tag_server = 1, tag_listener = 2, tags = 3 };

// pump.c
/// Milliseconds of a clock that only goes forward.
int64_t pump_now(void);
int pump_watch(struct vs_pump *pump, int descriptor, uint32_t events, const void *who, uintptr_t tag);
/// Gives the pump back to its thread, which looks at the clock anew.
void pump_unlock(struct vs_pump *pump);

// pumplisteners.c
struct listener *pump_find(struct vs_pump *pump, int number);
/// Begins to accept, or stops. Where several pumps wait at one socket, one of those that have nothing to do wakes up.
int pump_set_open(struct vs_pump *pump, struct listener *listener, bool is_open);
void pump_accept_all(struct vs_pump *pump, struct listener *listener);
/// Somebody needs a target no more.
void pump_release(struct target *target);

// pumpconnections.c
void pump_take_in(struct vs_pump *pump, const struct listener *listener, int socket);
/// Connects to the backend whose turn it is, or ends a connection for which there is none left.
void pump_begin(struct vs_pump *pump, struct connection *c);
/// The backend does not answer: the next one is tried.
void pump_try_next(struct vs_pump *pump, struct connection *c);
/// Does what the kernel says of one side.
void pump_hear(struct vs_pump *pump, struct connection *c, int who, uint32_t events);
/// Ends a connection: in order, or with a reset for both sides.
void pump_end(struct vs_pump *pump, struct connection *c, bool resets);
/// Frees what has ended, when no event can be about it any more.
void pump_bury(struct vs_pump *pump);
/// Asks for sockets to connect with when there are few.
void pump_ask(struct vs_pump *pump);

// pumprelay.c
/// Lets one side hear what the other one says, as far as it goes.
void pump_move(struct vs_pump *pump, struct connection *c, int speaker);
/// Gives back the memory of what a side has taken.
void pump_give_back(struct vs_pump *pump, struct side *side);
