// Sockets born in the right network namespace; they keep it wherever they are handed to.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int parse(const char *address, int port, struct sockaddr_in *into, char *error, size_t capacity) {
    memset(into, 0, sizeof *into);
    into->sin_family = AF_INET;
    into->sin_port = htons((uint16_t)port);
    if (port < 0 || port > 65535 || inet_pton(AF_INET, address, &into->sin_addr) != 1) {
        snprintf(error, capacity, "'%s:%d' is not an address", address, port);
        return -EINVAL;
    }
    return 0;
}

int socket_listen(int protocol, const char *address, int port, char *error, size_t capacity) {
    struct sockaddr_in local;
    int on = 1;
    int outcome = parse(address, port, &local, error, capacity);
    if (outcome < 0) return outcome;
    bool is_stream = protocol == IPPROTO_TCP;
    int made = socket(AF_INET, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return complain(error, capacity, "no socket");
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(made, (struct sockaddr *)&local, sizeof local) != 0 || (is_stream && listen(made, 512) != 0)) {
        outcome = complain(error, capacity, address);
        close(made);
        return outcome;
    }
    return made;
}

int socket_make(struct pod *pod, const char *source, char *error, size_t capacity) {
    struct sockaddr_in local;
    int on = 1, outcome;
    if (pod && setns(pod->network, CLONE_NEWNET) != 0) return complain(error, capacity, "the pod cannot be entered");
    int made = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int number = errno;
    if (pod && setns(sandboxd.network, CLONE_NEWNET) != 0) abort();  // Nothing that follows would be in the right place.
    if (made < 0) {
        errno = number;
        return complain(error, capacity, "no socket");
    }
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (pod) return made;
    // Bound first: through the output hook the source would otherwise become the service's own address.
    outcome = parse(source, 0, &local, error, capacity);
    setsockopt(made, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (outcome == 0 && bind(made, (struct sockaddr *)&local, sizeof local) != 0) outcome = complain(error, capacity, "no source address");
    if (outcome == 0) return made;
    close(made);
    return outcome;
}

int socket_connect(struct pod *pod, const char *address, int port, const char *source, char *error, size_t capacity) {
    struct sockaddr_in remote;
    int outcome = parse(address, port, &remote, error, capacity);
    if (outcome < 0) return outcome;
    int made = socket_make(pod, source, error, capacity);
    if (made < 0) return made;
    if (connect(made, (struct sockaddr *)&remote, sizeof remote) == 0 || errno == EINPROGRESS) return made;
    outcome = complain(error, capacity, address);
    close(made);
    return outcome;
}
