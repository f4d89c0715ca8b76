// The supervisor of one container on level `plain`, where pods have no network of their own: it sees each bind, connect and
// addressed sendto of the container (seccomp user notification) and turns cluster addresses into loopback addresses.
//
//     the pod itself (0.0.0.0, 127.0.0.1, ::)    its address 127.244.x.y
//     another pod     127.244.x.y, 10.244.x.y    127.244.x.y
//     a service       10.96.a.b                  127.96.a.b, where the userspace proxy listens
//     DNS             any address, port 53       127.96.0.10, port 20053
//     a node port, a load balancer               where it is
//     elsewhere                                  "network is unreachable", as in a sandbox
//
// Ports of pods and services below 1024 become 20000 higher: nobody may listen there. Several clusters on one machine take 127.245 and
// 127.97 and so on.
#define _GNU_SOURCE 1
#include "plaind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "plainchild.h"

enum { pods_first = 244, other_pods_first = 128, services_first = 96, shift_below = 1024, shift = 20000, dns_port = 53, pending_max = 64 };

static uint32_t own_address;
static int notifications = -1;

/// Connects that wait for the other side; the program waits in its system call meanwhile.
static struct pending {
    uint64_t id;
    int socket;
} pending[pending_max];
static int pending_count;

// Addresses

static uint16_t shifted(uint16_t port) { return port > 0 && port < shift_below ? port + shift : port; }

/// Where a connection really goes; false if there is no way.
static bool map_target(uint32_t *address, uint16_t *port) {
    uint32_t octet = own_address >> 16 & 0xFF, octets = *address >> 16, pods = own_address & 0xFFFF0000;
    uint32_t services = 127u << 24 | (services_first + (octet == pods_first ? 0 : octet - other_pods_first)) << 16;
    if (*port == dns_port) {
        *address = services | 10;
    } else if (*address == INADDR_ANY || *address == INADDR_LOOPBACK) {
        *address = own_address;
    } else if (octets == (10 << 8 | services_first)) {
        *address = services | (*address & 0xFFFF);
    } else if (octets == (10 << 8 | pods_first)) {
        *address = pods | (*address & 0xFFFF);
    } else if (*address >> 24 != 127) {
        return false;
    } else if (octets != pods >> 16 && octets != services >> 16) {
        return true;
    }
    *port = shifted(*port);
    return true;
}

/// Where a server really listens; false if the address is not the pod's.
static bool map_local(uint32_t *address, uint16_t *port) {
    uint32_t own_shown = 10u << 24 | (uint32_t)pods_first << 16 | (own_address & 0xFFFF);
    if (*address != INADDR_ANY && *address != INADDR_LOOPBACK && *address != own_address && *address != own_shown) return false;
    *address = own_address;
    *port = shifted(*port);
    return true;
}

enum verdict { leave, replace, refuse };

/// Rewrites an address in place; `is_local` for bind.
static enum verdict map_address(struct sockaddr_storage *address, socklen_t length, bool is_local) {
    uint32_t number;
    uint16_t port;
    if (address->ss_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)address;
        number = ntohl(v4->sin_addr.s_addr);
        port = ntohs(v4->sin_port);
        if (!(is_local ? map_local : map_target)(&number, &port)) return refuse;
        v4->sin_addr.s_addr = htonl(number);
        v4->sin_port = htons(port);
        return replace;
    }
    if (address->ss_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            memcpy(&number, v6->sin6_addr.s6_addr + 12, 4);
            number = ntohl(number);
        } else if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) || IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) || port == dns_port) {
            number = INADDR_LOOPBACK;
        } else {
            return refuse;
        }
        if (!(is_local ? map_local : map_target)(&number, &port)) return refuse;
        number = htonl(number);
        memset(&v6->sin6_addr, 0, 10);
        memset(v6->sin6_addr.s6_addr + 10, 0xFF, 2);
        memcpy(v6->sin6_addr.s6_addr + 12, &number, 4);
        v6->sin6_port = htons(port);
        return replace;
    }
    return leave;
}

// Answers

static void answer(uint64_t id, int64_t value, int error, uint32_t flags) {
    struct seccomp_notif_resp response = {.id = id, .val = value, .error = -error, .flags = flags};
    // Fails when the program has gone or was interrupted: nobody waits then.
    ioctl(notifications, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void go_on(uint64_t id) { answer(id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE); }

/// The socket behind a descriptor of the program, or -1 where the kernel or a container engine denies it.
static int take_socket(pid_t thread, int descriptor) {
    int handle = (int)syscall(SYS_pidfd_open, thread, 0);
    if (handle < 0) {
        // Older kernels want the leader of the thread group.
        char path[64], line[128];
        pid_t leader = -1;
        snprintf(path, sizeof path, "/proc/%d/status", thread);
        FILE *file = fopen(path, "re");
        while (file && fgets(line, sizeof line, file)) {
            if (sscanf(line, "Tgid: %d", &leader) == 1) break;
        }
        if (file) fclose(file);
        if (leader > 0) handle = (int)syscall(SYS_pidfd_open, leader, 0);
    }
    if (handle < 0) return -1;
    int socket = (int)syscall(SYS_pidfd_getfd, handle, descriptor, 0);
    close(handle);
    return socket;
}

/// The other way where the socket itself cannot be had: changes the address in the program's memory and lets the call go on.
static void rewrite_memory(const struct seccomp_notif *call, uint64_t pointer, const void *address, size_t length) {
    struct iovec here = {(void *)address, length}, there = {(void *)(uintptr_t)pointer, length};
    if (process_vm_writev((pid_t)call->pid, &here, 1, &there, 1, 0) != (ssize_t)length) return answer(call->id, 0, EACCES, 0);
    go_on(call->id);
}

/// Others see the pod's address as the source, not 127.0.0.1.
static void bind_source(int socket, int family) {
    struct sockaddr_storage present = {0}, source = {.ss_family = (sa_family_t)family};
    socklen_t length = sizeof present;
    static const struct in6_addr any = IN6ADDR_ANY_INIT;
    int on = 1, off = 0;
    if (getsockname(socket, (struct sockaddr *)&present, &length) != 0 || ((struct sockaddr_in *)&present)->sin_port != 0) return;
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (family == AF_INET6) {
        setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        ((struct sockaddr_in6 *)&source)->sin6_addr = any;
    }
    map_address(&source, sizeof source, true);
    if (bind(socket, (struct sockaddr *)&source, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6))) {}
}

static int bind_socket(int socket, struct sockaddr_storage *address, socklen_t length) {
    if (address->ss_family == AF_INET6) {
        int only = 0;
        socklen_t size = sizeof only;
        getsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size);
        if (only) {
            // A server that also listens on IPv4: there is no IPv6 between pods, so this half listens where nobody asks.
            struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
            v6->sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
            v6->sin6_port = 0;
        }
    }
    return bind(socket, (struct sockaddr *)address, length) == 0 ? 0 : errno;
}

/// Connects for the program. A blocking socket must not block the supervisor: its connect is finished by `finish_pending`.
static void connect_socket(uint64_t id, int socket, const struct sockaddr_storage *address, socklen_t length) {
    bind_source(socket, address->ss_family);
    int flags = fcntl(socket, F_GETFL);
    bool blocks = !(flags & O_NONBLOCK) && pending_count < pending_max;
    if (blocks) fcntl(socket, F_SETFL, flags | O_NONBLOCK);
    int error = connect(socket, (const struct sockaddr *)address, length) == 0 ? 0 : errno;
    if (blocks) {
        fcntl(socket, F_SETFL, flags);
        if (error == EINPROGRESS || error == EALREADY) {
            pending[pending_count++] = (struct pending){id, socket};
            return;
        }
    }
    answer(id, 0, error, 0);
    close(socket);
}

static void finish_pending(int index) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(pending[index].socket, SOL_SOCKET, SO_ERROR, &error, &size);
    answer(pending[index].id, 0, error, 0);
    close(pending[index].socket);
    pending[index] = pending[--pending_count];
}

static void handle_call(void) {
    struct seccomp_notif call;
    memset(&call, 0, sizeof call);
    if (ioctl(notifications, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return;
    bool is_send = call.data.nr == SYS_sendto, is_local = call.data.nr == SYS_bind;
    uint64_t pointer = call.data.args[is_send ? 4 : 1];
    socklen_t length = (socklen_t)call.data.args[is_send ? 5 : 2];
    struct sockaddr_storage address = {0};
    if (length > sizeof address || length < sizeof(sa_family_t)) return go_on(call.id);
    struct iovec here = {&address, length}, there = {(void *)(uintptr_t)pointer, length};
    if (process_vm_readv((pid_t)call.pid, &here, 1, &there, 1, 0) != (ssize_t)length) return answer(call.id, 0, EFAULT, 0);
    // The process id may belong to another process by now, but not if the call is still waiting.
    if (ioctl(notifications, SECCOMP_IOCTL_NOTIF_ID_VALID, &call.id) != 0) return;
    switch (map_address(&address, length, is_local)) {
    case leave: return go_on(call.id);
    case refuse: return answer(call.id, 0, is_local ? EADDRNOTAVAIL : ENETUNREACH, 0);
    case replace: break;
    }
    int socket = is_send ? -1 : take_socket((pid_t)call.pid, (int)call.data.args[0]);
    if (socket < 0) return rewrite_memory(&call, pointer, &address, length);
    if (!is_local) return connect_socket(call.id, socket, &address, length);
    answer(call.id, 0, bind_socket(socket, &address, length), 0);
    close(socket);
}

// The life of a container

static _Noreturn void end(int lifeline, pid_t child, int status) {
    int found = end_descendants(child, NULL);
    if (!child) _exit(0);
    if (status < 0) status = found < 0 ? SIGKILL : found;
    if (send(lifeline, &status, sizeof status, MSG_NOSIGNAL) < 0) {}
    _exit(0);
}

static _Noreturn void watch(pid_t child, int lifeline, int signals, bool is_execution) {
    for (;;) {
        struct pollfd watched[3 + pending_max] = {{lifeline, POLLIN, 0}, {signals, POLLIN, 0}, {notifications, POLLIN, 0}};
        for (int index = 0; index < pending_count; index++) {
            watched[3 + index] = (struct pollfd){pending[index].socket, POLLOUT, 0};
        }
        int count = pending_count;
        if (poll(watched, (nfds_t)(3 + count), -1) < 0) continue;
        for (int index = count - 1; index >= 0; index--) {
            if (watched[3 + index].revents) finish_pending(index);
        }
        if (watched[2].revents & POLLIN) {
            handle_call();
        } else if (watched[2].revents) {
            // No process is under the filter any more.
            close(notifications);
            notifications = -1;
        }
        if (watched[0].revents) {
            int number = 0;
            if (recv(lifeline, &number, sizeof number, 0) != sizeof number) end(lifeline, child, -1);
            if (child > 0) kill(child, number);
        }
        if (watched[1].revents) {
            struct signalfd_siginfo information;
            while (read(signals, &information, sizeof information) > 0) {}
            int status;
            pid_t process;
            while ((process = waitpid(-1, &status, WNOHANG)) > 0) {
                if (process != child) continue;
                // As in a PID namespace: the others end with the first one.
                if (!is_execution) end(lifeline, child, status);
                if (send(lifeline, &status, sizeof status, MSG_NOSIGNAL) < 0) {}
                child = 0;
            }
            if (process < 0 && errno == ECHILD) _exit(0);
        }
    }
}

void supervise(const struct supervised *program, int lifeline, int report) {
    prctl(PR_SET_NAME, "velocity-pod");
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    own_address = program->address;
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    int hand[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, hand) != 0) plain_fail(report, errno, "a socket cannot be made");
    pid_t child = fork();
    if (child == 0) plain_child_main(program, hand[1], report);
    if (child < 0) plain_fail(report, errno, "the process cannot be started");
    close(hand[1]);
    close(program->input);
    close(program->output);
    close(program->errors);
    struct start_report born = {.process = child};
    if (write(report, &born, sizeof born) < 0) {}
    // Only this process, its program and the lifeline are left of what plaind had open.
    notifications = plain_take_listener(hand[0]);
    close(hand[0]);
    close(report);
    int signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    watch(child, lifeline, signals, program->is_execution);
}
