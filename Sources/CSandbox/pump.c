// The pump of pump.h: one thread, one epoll, two sockets for each connection.
//
// All that is below `lock` belongs to whoever holds it: the thread while it works off events, or a call from outside. Events are taken
// from the kernel without it, so that one may be about a connection that has been closed meanwhile; that is kept until the
// thread has worked off all that it took.
#define _GNU_SOURCE 1
#include "pumpstate.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t pump_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int pump_watch(struct vs_pump *pump, int descriptor, uint32_t events, const void *who, uintptr_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = (uintptr_t)who | tag};
    return epoll_ctl(pump->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static void resume(struct vs_pump *pump, int64_t time) {
    while (pump->lines[is_connecting].head && pump->lines[is_connecting].head->deadline <= time) {
        pump_try_next(pump, pump->lines[is_connecting].head);
    }
    if (pump->resumption > 0 && pump->resumption <= time) {
        pump->resumption = 0;
        for (struct listener *listener = pump->listeners; listener; listener = listener->next) {
            if (listener->is_paused) pump_set_open(pump, listener, true);
            listener->is_paused = false;
        }
    }
    struct connection *unfinished = pump->unfinished;
    pump->unfinished = NULL;
    while (unfinished) {
        struct connection *c = unfinished;
        unfinished = c->following;
        c->has_more = false;
        if (c->state == is_joined) pump_move(pump, c, client);
        if (c->state == is_joined) pump_move(pump, c, server);
    }
}

/// How long there is nothing to do: milliseconds, or -1 until something happens.
static int patience(const struct vs_pump *pump) {
    if (pump->unfinished) return 0;
    const struct connection *first = pump->lines[is_connecting].head;
    int64_t next = first ? first->deadline : 0;
    if (pump->resumption > 0 && (next == 0 || pump->resumption < next)) next = pump->resumption;
    if (next == 0) return -1;
    int64_t left = next - pump_now();
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
                pump_accept_all(pump, object);
            } else {
                pump_hear(pump, object, tag == tag_server ? server : client, events[index].events);
            }
        }
        resume(pump, pump_now());
        pump_bury(pump);
    }
    pthread_mutex_unlock(&pump->lock);
    return NULL;
}

static void ring(struct vs_pump *pump) {
    uint64_t once = 1;
    if (write(pump->bell, &once, sizeof once) < 0) return;  // It rings already.
}

void pump_unlock(struct vs_pump *pump) {
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
    if (getrandom(&pump->random, sizeof pump->random, 0) != sizeof pump->random || pump->random == 0) pump->random = (uint64_t)pump_now() | 1;
    sigset_t all, before;
    sigfillset(&all);
    int outcome = pump->epoll < 0 || pump->bell < 0 || pump_watch(pump, pump->bell, EPOLLIN, NULL, 0) != 0 ? errno : 0;
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

void vs_pump_give(struct vs_pump *pump, const int *sockets, unsigned count) {
    pthread_mutex_lock(&pump->lock);
    pump->has_asked = false;
    for (unsigned i = 0; i < count; i++) {
        if (pump->pooled < pool_max) pump->pool[pump->pooled++] = sockets[i];
        else close(sockets[i]);
    }
    // Whoever cannot be served now is not to wait for ever.
    for (struct connection *c; (c = pump->lines[is_waiting].head) && (pump->pooled > 0 || count == 0);) {
        if (pump->pooled == 0) pump_end(pump, c, true);
        else pump_begin(pump, c);
    }
    pump_unlock(pump);
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
    pump_unlock(pump);
    pthread_join(pump->thread, NULL);
    while (pump->listeners) vs_pump_close(pump, pump->listeners->number);
    for (int state = 0; state < is_closed; state++) {
        while (pump->lines[state].head) pump_end(pump, pump->lines[state].head, state != is_joined);
    }
    for (struct connection *c = pump->lines[is_closed].head; c; c = c->after) c->has_more = false;
    pump_bury(pump);
    for (unsigned i = 0; i < pump->pooled; i++) close(pump->pool[i]);
    free(pump->spare);
    close(pump->epoll);
    close(pump->bell);
    pthread_mutex_destroy(&pump->lock);
    free(pump);
}
