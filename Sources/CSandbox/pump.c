// The pump of pump.h: one thread, one epoll, two sockets for each connection.
//
// All that is below `lock` belongs to whoever holds it: the thread while it works off events, or a call from outside. Events are taken
// from the kernel without it, so that one may be about a connection that has been closed meanwhile; that is kept until the
// thread has worked off all that it took.
#define _GNU_SOURCE 1
#include "include/pump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Connections and what they belong to

static void release(struct target *target) {
    if (--target->uses == 0) free(target);
}

static struct listener *find(struct vs_pump *pump, int number) {
    struct listener *listener = pump->listeners;
    while (listener && listener->number != number) listener = listener->next;
    return listener;
}

static void leave(struct vs_pump *pump, struct connection *c) {
    struct line *line = &pump->lines[c->state];
    *(c->before ? &c->before->after : &line->head) = c->after;
    *(c->after ? &c->after->before : &line->tail) = c->before;
}

static void enter(struct vs_pump *pump, struct connection *c, enum state state) {
    struct line *line = &pump->lines[state];
    c->state = state;
    c->before = line->tail;
    c->after = NULL;
    *(line->tail ? &line->tail->after : &line->head) = c;
    line->tail = c;
}

static void become(struct vs_pump *pump, struct connection *c, enum state state) {
    leave(pump, c);
    enter(pump, c, state);
}

/// Who waits for events of a descriptor: a listener, or a side of a connection; the lowest bits tell.
enum { tag_server = 1, tag_listener = 2, tags = 3 };

static int watch(struct vs_pump *pump, int descriptor, uint32_t events, const void *who, uintptr_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = (uintptr_t)who | tag};
    return epoll_ctl(pump->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/// Gives back the memory of what has been taken.
static void give_back(struct vs_pump *pump, struct side *side) {
    if (pump->spare) free(side->held);
    else pump->spare = side->held;
    side->held = NULL;
}

static void drop(struct vs_pump *pump, struct side *side, bool resets) {
    static const struct linger at_once = {1, 0};
    if (side->socket < 0) return;
    if (resets) setsockopt(side->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    // Where a program is being started just now, the socket lives on in the child for a moment.
    epoll_ctl(pump->epoll, EPOLL_CTL_DEL, side->socket, NULL);
    close(side->socket);
    if (side->held) give_back(pump, side);
    *side = (struct side){.socket = -1};
}

/// Ends a connection: in order, or with a reset for both sides.
static void end(struct vs_pump *pump, struct connection *c, bool resets) {
    drop(pump, &c->sides[client], resets);
    drop(pump, &c->sides[server], resets);
    release(c->target);
    become(pump, c, is_closed);
    pump->count--;
}

static void bury(struct vs_pump *pump) {
    for (struct listener *listener; (listener = pump->closed_listeners);) {
        pump->closed_listeners = listener->next;
        free(listener);
    }
    for (struct connection *c = pump->lines[is_closed].head, *next; c; c = next) {
        next = c->after;
        if (c->has_more) continue;
        leave(pump, c);
        free(c);
    }
}

// What is said

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
        if (count < 0 && errno != EAGAIN) end(pump, c, true);
        if (count < 0) return false;
        to->start += (size_t)count;
        to->length -= (size_t)count;
    }
    return true;
}

/// Tells a side that the other one says no more. When nobody has more to say, the connection has ended.
static void pass_end(struct vs_pump *pump, struct connection *c, struct side *from, struct side *to) {
    if (to->has_ended && from->is_shut) return end(pump, c, false);
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

/// Lets one side hear what the other one says, as far as it goes.
static void move(struct vs_pump *pump, struct connection *c, int speaker) {
    struct side *from = &c->sides[speaker], *to = &c->sides[!speaker];
    for (int turn = 0; turn < turns_max; turn++) {
        if (!flush(pump, c, to)) return;
        if (from->has_ended) return pass_end(pump, c, from, to);
        uint8_t *buffer = to->held ? to->held : pump->buffer;
        size_t length;
        bool is_drained;
        int outcome = hear_out(from, buffer, &length, &is_drained);
        if (outcome == 0 && length == 0 && is_drained) {
            if (to->held) give_back(pump, to);
            return;
        }
        from->has_ended = outcome == 0 && !is_drained && length == 0;
        if (to->held) {
            to->start = 0;
            to->length = length;
        } else if (length > 0) {
            ssize_t taken = send(to->socket, buffer, length, MSG_NOSIGNAL);
            if (taken < 0 && errno != EAGAIN && errno != EINTR) return end(pump, c, true);
            if (taken < 0) taken = 0;
            if ((size_t)taken < length) hold(pump, to, buffer + taken, length - (size_t)taken);
            if ((size_t)taken < length && !to->held) return end(pump, c, true);
        }
        if (outcome < 0) {
            flush(pump, c, to);
            if (c->state != is_closed) end(pump, c, true);
            return;
        }
        if (is_drained && to->length == 0 && !from->is_ending) return;
    }
    if (c->has_more) return;
    c->has_more = true;
    c->following = pump->unfinished;
    pump->unfinished = c;
}

// Connecting

static void ask(struct vs_pump *pump) {
    if (pump->has_asked || pump->pooled > pump->store / 2) return;
    pump->store = pump->store == 0 ? pool_least : pump->store < pool_max ? pump->store * 2 : pool_max;
    pump->has_asked = true;
    pump->more(pump->context, pump->store - pump->pooled);
}

static const struct sockaddr_in *backend(const struct connection *c) {
    return &c->target->backends[(c->first + c->tried) % c->target->count];
}

/// Connects to the backend whose turn it is, or ends a connection for which there is none left.
static void begin(struct vs_pump *pump, struct connection *c) {
    for (; c->tried < c->target->count; c->tried++) {
        ask(pump);
        if (pump->pooled == 0) return become(pump, c, is_waiting);
        struct side *to = &c->sides[server];
        to->socket = pump->pool[--pump->pooled];
        int outcome = connect(to->socket, (const struct sockaddr *)backend(c), sizeof(struct sockaddr_in));
        if ((outcome == 0 || errno == EINPROGRESS)
            && watch(pump, to->socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c, tag_server) == 0) {
            c->deadline = now() + pump->timeout;
            return become(pump, c, is_connecting);
        }
        drop(pump, to, false);
    }
    end(pump, c, true);
}

/// The backend does not answer: the next one is tried.
static void try_next(struct vs_pump *pump, struct connection *c) {
    drop(pump, &c->sides[server], false);
    c->tried++;
    begin(pump, c);
}

static void join(struct vs_pump *pump, struct connection *c) {
    struct listener *listener = c->target->affinity_seconds > 0 ? find(pump, c->listener) : NULL;
    if (listener) {
        listener->kept = *backend(c);
        listener->kept_until = now() + (int64_t)c->target->affinity_seconds * 1000;
    }
    become(pump, c, is_joined);
    move(pump, c, client);
}

/// The number of the backend that a new connection goes to first.
static unsigned choose(struct vs_pump *pump, const struct listener *listener) {
    const struct target *target = listener->target;
    if (target->affinity_seconds > 0 && listener->kept_until > now()) {
        for (unsigned number = 0; number < target->count; number++) {
            if (memcmp(&target->backends[number], &listener->kept, sizeof listener->kept) == 0) return number;
        }
    }
    // xorshift64: which of a few it is need not be hard to guess.
    pump->random ^= pump->random << 13;
    pump->random ^= pump->random >> 7;
    pump->random ^= pump->random << 17;
    return target->count > 0 ? (unsigned)(pump->random % target->count) : 0;
}

static void take_in(struct vs_pump *pump, const struct listener *listener, int socket) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) {
        close(socket);
        return;
    }
    c->listener = listener->number;
    c->sides[client].socket = socket;
    c->sides[server].socket = -1;
    c->target = listener->target;
    c->target->uses++;
    c->first = choose(pump, listener);
    enter(pump, c, is_waiting);
    pump->count++;
    if (watch(pump, socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c, 0) != 0) return end(pump, c, true);
    begin(pump, c);
}

/// Begins to accept, or stops. Where several pumps wait at one socket, one of those that have nothing to do wakes up.
static int set_open(struct vs_pump *pump, struct listener *listener, bool is_open) {
    if (listener->is_open == is_open) return 0;
    int outcome = is_open ? watch(pump, listener->socket, EPOLLIN | EPOLLEXCLUSIVE, listener, tag_listener)
                          : epoll_ctl(pump->epoll, EPOLL_CTL_DEL, listener->socket, NULL);
    listener->is_open = is_open;
    return outcome;
}

static void accept_all(struct vs_pump *pump, struct listener *listener) {
    if (listener->socket < 0) return;
    // Who connects while this goes on gets a turn after the others.
    for (int left = events_max; left > 0; left--) {
        int socket = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            take_in(pump, listener, socket);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            set_open(pump, listener, false);
            listener->is_paused = true;
            pump->resumption = now() + pause_milliseconds;
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

// The thread

static void hear(struct vs_pump *pump, struct connection *c, int who, uint32_t events) {
    struct side *side = &c->sides[who];
    if (c->state == is_closed || side->socket < 0) return;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side->is_ending = true;
    if (c->state == is_connecting && who == server) {
        if (events & (EPOLLERR | EPOLLHUP)) return try_next(pump, c);
        if (!(events & EPOLLOUT)) return;
        join(pump, c);
    } else if (c->state == is_joined && events & EPOLLOUT && side->length > 0) {
        move(pump, c, !who);
    }
    if (c->state == is_joined && events & ~(uint32_t)EPOLLOUT) move(pump, c, who);
    // What it had said before has been heard, unless the other side does not listen.
    if (c->state != is_closed && events & EPOLLERR) end(pump, c, true);
}

static void resume(struct vs_pump *pump, int64_t time) {
    while (pump->lines[is_connecting].head && pump->lines[is_connecting].head->deadline <= time) {
        try_next(pump, pump->lines[is_connecting].head);
    }
    if (pump->resumption > 0 && pump->resumption <= time) {
        pump->resumption = 0;
        for (struct listener *listener = pump->listeners; listener; listener = listener->next) {
            if (listener->is_paused) set_open(pump, listener, true);
            listener->is_paused = false;
        }
    }
    struct connection *unfinished = pump->unfinished;
    pump->unfinished = NULL;
    while (unfinished) {
        struct connection *c = unfinished;
        unfinished = c->following;
        c->has_more = false;
        if (c->state == is_joined) move(pump, c, client);
        if (c->state == is_joined) move(pump, c, server);
    }
}

/// How long there is nothing to do: milliseconds, or -1 until something happens.
static int patience(const struct vs_pump *pump) {
    if (pump->unfinished) return 0;
    const struct connection *first = pump->lines[is_connecting].head;
    int64_t next = first ? first->deadline : 0;
    if (pump->resumption > 0 && (next == 0 || pump->resumption < next)) next = pump->resumption;
    if (next == 0) return -1;
    int64_t left = next - now();
    return left < 0 ? 0 : (int)left;
}

static void *work(void *argument) {
    struct vs_pump *pump = argument;
    struct epoll_event events[events_max];
    pthread_mutex_lock(&pump->lock);
    while (!pump->is_ending) {
        int timeout = patience(pump);
        pthread_mutex_unlock(&pump->lock);
        int count = epoll_wait(pump->epoll, events, events_max, timeout);
        pthread_mutex_lock(&pump->lock);
        for (int index = 0; index < count; index++) {
            uintptr_t who = (uintptr_t)events[index].data.u64, tag = who & tags;
            void *object = (void *)(who & ~(uintptr_t)tags);
            uint64_t rung;
            if (!object) {
                if (read(pump->bell, &rung, sizeof rung) < 0) continue;
            } else if (tag == tag_listener) {
                accept_all(pump, object);
            } else {
                hear(pump, object, tag == tag_server ? server : client, events[index].events);
            }
        }
        resume(pump, now());
        bury(pump);
    }
    pthread_mutex_unlock(&pump->lock);
    return NULL;
}

// Calls from outside

static void ring(struct vs_pump *pump) {
    uint64_t once = 1;
    if (write(pump->bell, &once, sizeof once) < 0) return;  // It rings already.
}

/// Gives the pump back to its thread, which looks at the clock anew.
static void unlock(struct vs_pump *pump) {
    ring(pump);
    pthread_mutex_unlock(&pump->lock);
}

struct vs_pump *vs_pump_start(unsigned timeout, void (*more)(void *context, unsigned count), void *context) {
    struct vs_pump *pump = calloc(1, sizeof *pump);
    if (!pump) return NULL;
    pump->more = more;
    pump->context = context;
    pump->timeout = timeout;
    pthread_mutex_init(&pump->lock, NULL);
    pump->epoll = epoll_create1(EPOLL_CLOEXEC);
    pump->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (getrandom(&pump->random, sizeof pump->random, 0) != sizeof pump->random || pump->random == 0) pump->random = (uint64_t)now() | 1;
    sigset_t all, before;
    sigfillset(&all);
    int outcome = pump->epoll < 0 || pump->bell < 0 || watch(pump, pump->bell, EPOLLIN, NULL, 0) != 0 ? errno : 0;
    if (outcome == 0) {
        // Signals are for other threads.
        pthread_sigmask(SIG_SETMASK, &all, &before);
        outcome = pthread_create(&pump->thread, NULL, work, pump);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    if (outcome == 0) return pump;
    if (pump->epoll >= 0) close(pump->epoll);
    if (pump->bell >= 0) close(pump->bell);
    free(pump);
    errno = outcome;
    return NULL;
}

int vs_pump_listen(struct vs_pump *pump, int socket) {
    struct listener *listener = calloc(1, sizeof *listener);
    struct target *target = calloc(1, sizeof *target);
    int on = 1, outcome = -ENOMEM;
    pthread_mutex_lock(&pump->lock);
    if (listener && target) {
        target->uses = 1;
        *listener = (struct listener){
            .next = pump->listeners, .number = ++pump->last_number, .socket = socket, .target = target};
        // What it accepts has it from there.
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        pump->listeners = listener;
        outcome = listener->number;
    } else {
        close(socket);
        free(listener);
        free(target);
    }
    pthread_mutex_unlock(&pump->lock);
    return outcome;
}

int vs_pump_lead(struct vs_pump *pump, int number, const uint8_t *backends, unsigned count, uint32_t affinity_seconds) {
    struct target *target = calloc(1, sizeof *target + count * sizeof *target->backends);
    if (!target) return -ENOMEM;
    *target = (struct target){.uses = 1, .count = count, .affinity_seconds = affinity_seconds};
    for (unsigned i = 0; i < count; i++) {
        target->backends[i].sin_family = AF_INET;
        memcpy(&target->backends[i].sin_addr, backends + i * 6, 4);
        memcpy(&target->backends[i].sin_port, backends + i * 6 + 4, 2);
    }
    int outcome = -ENOENT;
    pthread_mutex_lock(&pump->lock);
    struct listener *listener = find(pump, number);
    if (listener) {
        release(listener->target);
        listener->target = target;
        listener->is_paused = false;
        outcome = set_open(pump, listener, count > 0) == 0 ? 0 : -errno;
        // The first connection should not have to wait for them.
        if (count > 0) ask(pump);
    } else {
        free(target);
    }
    pthread_mutex_unlock(&pump->lock);
    return outcome;
}

void vs_pump_close(struct vs_pump *pump, int number) {
    pthread_mutex_lock(&pump->lock);
    for (struct listener **link = &pump->listeners; *link; link = &(*link)->next) {
        struct listener *listener = *link;
        if (listener->number != number) continue;
        *link = listener->next;
        set_open(pump, listener, false);
        close(listener->socket);
        listener->socket = -1;
        release(listener->target);
        listener->next = pump->closed_listeners;
        pump->closed_listeners = listener;
        break;
    }
    unlock(pump);
}

void vs_pump_give(struct vs_pump *pump, const int *sockets, unsigned count) {
    pthread_mutex_lock(&pump->lock);
    pump->has_asked = false;
    for (unsigned i = 0; i < count; i++) {
        if (pump->pooled < pool_max) pump->pool[pump->pooled++] = sockets[i];
        else close(sockets[i]);
    }
    // Whoever cannot be served now is not to wait for ever.
    for (struct connection *c; (c = pump->lines[is_waiting].head) && (pump->pooled > 0 || count == 0);) {
        if (pump->pooled == 0) end(pump, c, true);
        else begin(pump, c);
    }
    unlock(pump);
}

unsigned vs_pump_count(struct vs_pump *pump) {
    pthread_mutex_lock(&pump->lock);
    unsigned count = pump->count;
    pthread_mutex_unlock(&pump->lock);
    return count;
}

void vs_pump_end(struct vs_pump *pump) {
    pthread_mutex_lock(&pump->lock);
    pump->is_ending = true;
    unlock(pump);
    pthread_join(pump->thread, NULL);
    while (pump->listeners) vs_pump_close(pump, pump->listeners->number);
    for (int state = 0; state < is_closed; state++) {
        while (pump->lines[state].head) end(pump, pump->lines[state].head, state != is_joined);
    }
    for (struct connection *c = pump->lines[is_closed].head; c; c = c->after) c->has_more = false;
    bury(pump);
    for (unsigned i = 0; i < pump->pooled; i++) close(pump->pool[i]);
    free(pump->spare);
    close(pump->epoll);
    close(pump->bell);
    pthread_mutex_destroy(&pump->lock);
    free(pump);
}
