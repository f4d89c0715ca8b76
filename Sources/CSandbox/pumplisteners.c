// Ports, and where connections to them go.
#define _GNU_SOURCE 1
#include "pumpstate.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void pump_release(struct target *target) {
    if (--target->uses == 0) free(target);
}

struct listener *pump_find(struct vs_pump *pump, int number) {
    struct listener *listener = pump->listeners;
    while (listener && listener->number != number) listener = listener->next;
    return listener;
}

int pump_set_open(struct vs_pump *pump, struct listener *listener, bool is_open) {
    if (listener->is_open == is_open) return 0;
    int outcome = is_open ? pump_watch(pump, listener->socket, EPOLLIN | EPOLLEXCLUSIVE, listener, tag_listener)
                          : epoll_ctl(pump->epoll, EPOLL_CTL_DEL, listener->socket, NULL);
    listener->is_open = is_open;
    return outcome;
}

void pump_accept_all(struct vs_pump *pump, struct listener *listener) {
    if (listener->socket < 0) return;
    // Who connects while this goes on gets a turn after the others.
    for (int left = events_max; left > 0; left--) {
        int socket = accept4(listener->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            pump_take_in(pump, listener, socket);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            pump_set_open(pump, listener, false);
            listener->is_paused = true;
            pump->resumption = pump_now() + pause_milliseconds;
            return;
        } else if (errno == EAGAIN) {
            return;
        }
    }
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
    struct listener *listener = pump_find(pump, number);
    if (listener) {
        pump_release(listener->target);
        listener->target = target;
        listener->is_paused = false;
        outcome = pump_set_open(pump, listener, count > 0) == 0 ? 0 : -errno;
        // The first connection should not have to wait for them.
        if (count > 0) pump_ask(pump);
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
        pump_set_open(pump, listener, false);
        // A process that is being started may hold a copy for a moment more; nobody is to be let in by that.
        shutdown(listener->socket, SHUT_RDWR);
        close(listener->socket);
        listener->socket = -1;
        pump_release(listener->target);
        listener->next = pump->closed_listeners;
        pump->closed_listeners = listener;
        break;
    }
    pump_unlock(pump);
}
