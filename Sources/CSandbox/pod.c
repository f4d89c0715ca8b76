// The cluster's network namespace, and pods in it: routed, no bridge, so that all pod traffic passes the forward hook.
#define _GNU_SOURCE 1
#include "cgroups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// What pods send their packets to; an address of the cluster's namespace that no pod can have.
static uint32_t gateway(void) { return inet_addr("169.254.1.1"); }

int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = write(file, text, strlen(text));
    int error = errno;
    close(file);
    return count < 0 ? -error : 0;
}

int enter_user_namespace(uid_t inside_user, gid_t inside_group, char *error, size_t capacity) {
    char map[64];
    uid_t user = geteuid();
    gid_t group = getegid();
    if (unshare(CLONE_NEWUSER) != 0) return complain(error, capacity, "a user namespace is refused");
    // A process that is not dumpable does not own its files in /proc, and could not write its own map.
    prctl(PR_SET_DUMPABLE, 1);
    int outcome = write_file("/proc/self/setgroups", "deny");
    if (outcome == 0) {
        snprintf(map, sizeof map, "%u %u 1", inside_user, user);
        outcome = write_file("/proc/self/uid_map", map);
    }
    if (outcome == 0) {
        snprintf(map, sizeof map, "%u %u 1", inside_group, group);
        outcome = write_file("/proc/self/gid_map", map);
    }
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the user map is refused");
    }
    return 0;
}

int pods_prepare_network(bool wants_users, char *error, size_t capacity) {
    if (!sandboxd.is_root) {
        int outcome = wants_users ? enter_users(error, capacity) : enter_user_namespace(0, 0, error, capacity);
        if (outcome < 0) return outcome;
        sandboxd.has_users = outcome > 0;
    }
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return complain(error, capacity, "namespaces are refused");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return complain(error, capacity, "mounts cannot be made private");
    sandboxd.network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int netlink = netlink_open();
    if (sandboxd.network < 0 || netlink < 0) return complain(error, capacity, "the network namespace cannot be opened");
    int outcome = link_up(netlink, "lo");
    if (outcome == 0) outcome = address_add(netlink, "lo", gateway(), 32);
    // Any address of the service range can be listened on here.
    if (outcome == 0) outcome = route_add(netlink, inet_addr("10.96.0.0"), 16, "lo", 0, 0, RTN_LOCAL);
    // And any address of the part of the pod network that no node has: for what stands in for a pod in the host process.
    if (outcome == 0) outcome = route_add(netlink, inet_addr("10.244.255.0"), 24, "lo", 0, 0, RTN_LOCAL);
    close(netlink);
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/ip_forward", "1");
    // The node's address and those of load balancers are loopback addresses, so that they lead to the same place outside.
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/conf/all/route_localnet", "1");
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    // Each connection to an address that is not there fails at once, not one in a second. Kernels can do without.
    write_file("/proc/sys/net/ipv4/icmp_ratelimit", "0");
    // Nor do thousands of connections a second use up the ports of this address, or the kernel's table of connections: no packet of an
    // old one wanders about in here.
    write_file("/proc/sys/net/ipv4/tcp_tw_reuse", "1");
    write_file("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait", "5");
    if (outcome < 0) {
        errno = -outcome;
        return complain(error, capacity, "the cluster's network cannot be set up");
    }
    return 0;
}

/// Sets one `net.ipv4.x=1` in the namespaces that this process is in; returns 0 or an errno.
static int set_kernel(const char *setting) {
    char path[160];
    const char *value = strchr(setting, '=');
    if (!value || snprintf(path, sizeof path, "/proc/sys/%.*s", (int)(value - setting), setting) >= (int)sizeof path) return EINVAL;
    for (char *point = strchr(path, '.'); point; point = strchr(point, '.')) *point = '/';
    return -write_file(path, value + 1);
}

/// What a pod's first process is told when it is known whose it is: texts that end in zero, the host name first, then settings.
struct wishes {
    char bytes[8192];
    size_t length;
};

static bool wish(struct wishes *wishes, const char *text) {
    size_t count = strlen(text) + 1;
    if (count > sizeof wishes->bytes - wishes->length) return false;
    memcpy(wishes->bytes + wishes->length, text, count);
    wishes->length += count;
    return true;
}

/// Calls this process by the name that others know it by, in what `ps` shows.
static void rename_command(const char *name) {
    char words[256];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, words, sizeof words);
    if (file >= 0) close(file);
    if (length <= (ssize_t)strlen(name)) return;
    memset(program_invocation_name, 0, (size_t)length);
    memcpy(program_invocation_name, name, strlen(name));
}

/// The first process of a pod: keeps its namespaces and reaps what is orphaned in it.
static void keep_pod(int told) {
    struct wishes wishes;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "pause");
    // Where the pod's processes are shared, containers see this one.
    rename_command("/pause");
    setsid();
    close_range(0, (unsigned)told - 1, 0);
    close_range((unsigned)told + 1, ~0U, 0);
    // Ports are everybody's, unless the pod says otherwise.
    int failure = -write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    ssize_t length = recv(told, wishes.bytes, sizeof wishes.bytes, 0);
    if (length <= 0) _exit(1);
    const char *text = wishes.bytes, *end = text + length;
    sethostname(text, strlen(text));
    while (failure == 0 && (text += strlen(text) + 1) < end) failure = set_kernel(text);
    if (send(told, &failure, sizeof failure, MSG_NOSIGNAL) != sizeof failure || failure) _exit(1);
    close(told);
    sigset_t mask;
    sigfillset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    signal(SIGCHLD, SIG_DFL);
    for (;;) {
        int number;
        if (sigwait(&mask, &number) != 0) continue;
        if (number == SIGTERM) _exit(0);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
    }
}

/// Makes the link between the cluster's namespace and the pod's, with all that does not depend on the pod's address.
static int link_pod(struct pod *pod) {
    static unsigned counter;
    snprintf(pod->interface, sizeof pod->interface, "pod%u", ++counter);
    int netlink = netlink_open();
    if (netlink < 0) return -errno;
    int outcome = veth_create(netlink, pod->interface, "eth0", pod->network);
    if (outcome == 0) outcome = link_up(netlink, pod->interface);
    close(netlink);
    if (outcome == 0 && setns(pod->network, CLONE_NEWNET) != 0) outcome = -errno;
    netlink = outcome == 0 ? netlink_open() : -1;
    if (outcome == 0) outcome = netlink < 0 ? -errno : link_up(netlink, "lo");
    if (outcome == 0) outcome = link_up(netlink, "eth0");
    if (outcome == 0) outcome = route_add(netlink, gateway(), 32, "eth0", 0, 0, 0);
    // Node ports and load balancers: see `NodeNetwork.swift`.
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/conf/eth0/route_localnet", "1");
    if (netlink >= 0) close(netlink);
    if (setns(sandboxd.network, CLONE_NEWNET) != 0) abort();  // Nothing that follows would be in the right place.
    return outcome;
}

/// Gives the pod its address.
static int address_pod(const struct pod *pod) {
    uint32_t address = pod->address;
    if (setns(pod->network, CLONE_NEWNET) != 0) return -errno;
    int netlink = netlink_open();
    int outcome = netlink < 0 ? -errno : address_add(netlink, "eth0", address, 32);
    if (outcome == 0) outcome = route_add(netlink, 0, 0, "eth0", gateway(), address, 0);
    if (outcome == 0) outcome = route_add(netlink, inet_addr("127.200.0.0"), 24, "eth0", gateway(), address, 0);
    if (outcome == 0) outcome = route_add(netlink, inet_addr("127.88.0.0"), 16, "eth0", gateway(), address, 0);
    if (netlink >= 0) close(netlink);
    if (setns(sandboxd.network, CLONE_NEWNET) != 0) abort();
    netlink = outcome == 0 ? netlink_open() : -1;
    // The route goes in when the pod's side is up, or the kernel may drop it with the link's state.
    if (outcome == 0) outcome = netlink < 0 ? -errno : route_add(netlink, address, 32, pod->interface, 0, gateway(), 0);
    if (netlink >= 0) close(netlink);
    return outcome;
}

struct pod *pod_begin(bool has_network, char *error, size_t capacity) {
    int ends[2];
    char path[64];
    struct pod *pod = calloc(1, sizeof *pod);
    if (!pod || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        complain(error, capacity, "a pod cannot be made");
        free(pod);
        return NULL;
    }
    long flags = CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD | (has_network ? CLONE_NEWNET : 0);
    pid_t init = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (init == 0) keep_pod(ends[1]);
    int outcome = init < 0 ? complain(error, capacity, "the pod's namespaces are refused") : 0;
    close(ends[1]);
    *pod = (struct pod){.init = init, .init_handle = -1, .told = ends[0], .network = -1, .cgroup = -1};
    if (outcome == 0) {
        snprintf(path, sizeof path, "/proc/%d/ns/net", init);
        pod->init_handle = (int)syscall(SYS_pidfd_open, init, 0);
        pod->network = open(path, O_RDONLY | O_CLOEXEC);
        outcome = pod->network < 0 || pod->init_handle < 0 ? -errno : has_network ? link_pod(pod) : 0;
        errno = -outcome;
        if (outcome < 0) complain(error, capacity, "the pod's network cannot be set up");
    }
    if (outcome == 0) return pod;
    pod_end(pod);
    errno = -outcome;
    return NULL;
}

/// Tells a pod whose it is, and what that one wants; ends it if it cannot have that. Returns 0 or -errno.
static int settle_pod(struct pod *pod, const char *uid, uint32_t address, const struct wishes *wishes, char *error, size_t capacity) {
    int failure = EAGAIN;
    snprintf(pod->uid, sizeof pod->uid, "%s", uid);
    pod->address = address;
    bool is_told = send(pod->told, wishes->bytes, wishes->length, MSG_NOSIGNAL) == (ssize_t)wishes->length;
    // Beside it, while it does so.
    int outcome = pod->interface[0] ? address_pod(pod) : 0;
    bool has_answered = is_told && recv(pod->told, &failure, sizeof failure, 0) == sizeof failure;
    close(pod->told);
    pod->told = -1;
    errno = outcome < 0 ? -outcome : failure;
    if (errno == 0) return 0;
    outcome = complain(
        error, capacity,
        outcome < 0 ? "the pod's network cannot be set up"
            : has_answered ? "a setting of the kernel is refused"
                           : "the pod's first process was killed");
    pod_end(pod);
    return outcome;
}

bool pod_is_alive(const struct pod *pod) {
    char name[16];
    snprintf(name, sizeof name, "%d", pod->init);
    return pod->init && files_of(name);
}

int pod_create(
    const char *uid, const char *host_name, const char *address, char **settings, struct amounts amounts, char *error,
    size_t capacity) {
    struct in_addr parsed = {0};
    struct wishes wishes = {.length = 0};
    bool has_network = address[0];
    if ((has_network && inet_pton(AF_INET, address, &parsed) != 1) || strlen(uid) >= sizeof ((struct pod *)0)->uid) {
        snprintf(error, capacity, "'%s' is not an address", address);
        return -EINVAL;
    }
    bool fits = wish(&wishes, host_name);
    for (; *settings && fits; settings++) fits = wish(&wishes, *settings);
    if (!fits) {
        snprintf(error, capacity, "there are too many settings of the kernel");
        return -E2BIG;
    }
    struct pod *present = find_pod(uid);
    if (present && pod_is_alive(present)) return 0;
    if (present) pod_remove(present);
    cgroups_settle();
    struct pod *pod = has_network ? standby_take() : NULL;
    // One that stood by may have been killed meanwhile.
    if (pod && settle_pod(pod, uid, parsed.s_addr, &wishes, error, capacity) < 0) pod = NULL;
    if (!pod) {
        pod = pod_begin(has_network, error, capacity);
        int outcome = pod ? settle_pod(pod, uid, parsed.s_addr, &wishes, error, capacity) : -errno;
        if (outcome < 0) return outcome;
    }
    pod->amounts = amounts;
    pod->next = sandboxd.pods;
    sandboxd.pods = pod;
    return 0;
}

void pod_note_end(pid_t process) {
    for (struct pod *pod = sandboxd.pods; pod; pod = pod->next) {
        if (pod->init == process) pod->init = 0;
    }
}

/// All that was in the pod is gone, too.
static bool has_ended(const struct pod *pod) {
    struct pollfd first = {pod->init_handle, POLLIN, 0};
    return poll(&first, 1, 0) > 0;
}

void pod_end(struct pod *pod) {
    // By its number it could be another process by now.
    if (pod->init_handle >= 0) syscall(SYS_pidfd_send_signal, pod->init_handle, SIGKILL, NULL, 0);
    // Its end is the end of every process in the pod. It comes only when those are reaped, and containers are children of this
    // process: waiting for the first process alone would be waiting for ever.
    int status;
    pid_t process;
    while (pod->init_handle >= 0 && !has_ended(pod)) {
        process = waitpid(-1, &status, __WALL);
        if (process > 0) {
            pod_note_end(process);
            report_exit(process, status);
        }
        if (process < 0 && errno != EINTR) break;
    }
    memory_remove(pod->uid);
    cgroup_remove_pod(pod);
    // The kernel removes links with their namespaces, many at a time; it would take 50 ms for one that is removed by itself. Meanwhile
    // nobody who still knows the address shall wait for an answer.
    int netlink = pod->address ? netlink_open() : -1;
    if (netlink >= 0) {
        route_remove(netlink, pod->address);
        close(netlink);
    }
    if (pod->told >= 0) close(pod->told);
    if (pod->network >= 0) close(pod->network);
    if (pod->init_handle >= 0) close(pod->init_handle);
    free(pod);
}

void pod_remove(struct pod *pod) {
    for (struct pod **link = &sandboxd.pods; *link; link = &(*link)->next) {
        if (*link == pod) {
            *link = pod->next;
            break;
        }
    }
    pod_end(pod);
}
