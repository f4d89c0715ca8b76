// Connections from their begin to their end, and the sockets with which they begin.
#define _GNU_SOURCE 1
#include "pumpstate.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void drop(struct vs_pump *pump, struct side *side, bool resets) {
    static const struct linger at_once = {1, 0};
    if (side->socket < 0) return;
    if (resets) setsockopt(side->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    // Where a program is being started just now, the socket lives on in the child for a moment.
    epoll_ctl(pump->epoll, EPOLL_CTL_DEL, side->socket, NULL);
    close(side->socket);
    if (side->held) pump_give_back(pump, side);
    *side = (struct side){.socket = -1};
}

void pump_end(struct vs_pump *pump, struct connection *c, bool resets) {
    drop(pump, &c->sides[client], resets);
    drop(pump, &c->sides[server], resets);
    pump_release(c->target);
    become(pump, c, is_closed);
    pump->count--;
}

void pump_bury(struct vs_pump *pump) {
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

void pump_ask(struct vs_pump *pump) {
    if (pump->has_asked || pump->pooled > pump->store / 2) return;
    pump->store = pump->store == 0 ? pool_least : pump->store < pool_max ? pump->store * 2 : pool_max;
    pump->has_asked = true;
    pump->more(pump->context, pump->store - pump->pooled);
}

static const struct sockaddr_in *backend(const struct connection *c) {
    return &c->target->backends[(c->first + c->tried) % c->target->count];
}

static void join(struct vs_pump *pump, struct connection *c) {
    struct listener *listener = c->target->affinity_seconds > 0 ? pump_find(pump, c->listener) : NULL;
    if (listener) {
        listener->kept = *backend(c);
        listener->kept_until = pump_now() + (int64_t)c->target->affinity_seconds * 1000;
    }
    become(pump, c, is_joined);
    pump_move(pump, c, client);
}

/// Whether a client says something before there is anybody to hear it, as most do.
static bool has_spoken(const struct connection *c) {
    uint8_t byte;
    return recv(c->sides[client].socket, &byte, 1, MSG_PEEK) > 0;
}

static bool is_connected(int socket) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    return getpeername(socket, (struct sockaddr *)&peer, &size) == 0;
}

void pump_begin(struct vs_pump *pump, struct connection *c) {
    static const int off = 0;
    for (; c->tried < c->target->count; c->tried++) {
        pump_ask(pump);
        if (pump->pooled == 0) return become(pump, c, is_waiting);
        struct side *to = &c->sides[server];
        to->socket = pump->pool[--pump->pooled];
        // The end of the handshake goes along with what the client says, which is there already: one packet less.
        bool speaks = has_spoken(c);
        if (speaks) setsockopt(to->socket, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
        int outcome = connect(to->socket, (const struct sockaddr *)backend(c), sizeof(struct sockaddr_in));
        if ((outcome == 0 || errno == EINPROGRESS)
            && pump_watch(pump, to->socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c, tag_server) == 0) {
            c->deadline = pump_now() + pump->timeout;
            become(pump, c, is_connecting);
            // On one machine, most backends have answered by now.
            if (speaks && is_connected(to->socket)) join(pump, c);
            return;
        }
        drop(pump, to, false);
    }
    pump_end(pump, c, true);
}

void pump_try_next(struct vs_pump *pump, struct connection *c) {
    drop(pump, &c->sides[server], false);
    c->tried++;
    pump_begin(pump, c);
}

/// The number of the backend that a new connection goes to first.
static unsigned choose(struct vs_pump *pump, const struct listener *listener) {
    const struct target *target = listener->target;
    if (target->affinity_seconds > 0 && listener->kept_until > pump_now()) {
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

void pump_take_in(struct vs_pump *pump, const struct listener *listener, int socket) {
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
    if (pump_watch(pump, socket, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, c, 0) != 0) return pump_end(pump, c, true);
    pump_begin(pump, c);
}

void pump_hear(struct vs_pump *pump, struct connection *c, int who, uint32_t events) {
    struct side *side = &c->sides[who];
    if (c->state == is_closed || side->socket < 0) return;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side->is_ending = true;
    if (c->state == is_connecting && who == server) {
        if (events & (EPOLLERR | EPOLLHUP)) return pump_try_next(pump, c);
        if (!(events & EPOLLOUT)) return;
        join(pump, c);
    } else if (c->state == is_joined && events & EPOLLOUT && side->length > 0) {
        pump_move(pump, c, !who);
    }
    if (c->state == is_joined && events & ~(uint32_t)EPOLLOUT) pump_move(pump, c, who);
    // What it had said before has been heard, unless the other side does not listen.
    if (c->state != is_closed && events & EPOLLERR) pump_end(pump, c, true);
}
