// The cluster's network namespace, and the links of pods to it: routed, no bridge, so that all pod traffic passes the forward hook.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/// What pods send their packets to; an address of the cluster's namespace that no pod can have.
static uint32_t gateway(void) { return inet_addr("169.254.1.1"); }

int network_prepare(bool wants_users, char *error, size_t capacity) {
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
    // Each connection to an address that is not there fails at once. A missing route would say so five times, and then once a second;
    // a rule says it each time. Kernels can do without.
    route_strangers(netlink);
    write_file("/proc/sys/net/ipv4/icmp_ratelimit", "0");
    close(netlink);
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/ip_forward", "1");
    // The node's address and those of load balancers are loopback addresses, so that they lead to the same place outside.
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/conf/all/route_localnet", "1");
    if (outcome == 0) outcome = write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
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

int network_link(struct pod *pod) {
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

int network_address(const struct pod *pod) {
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

void network_leave(const struct pod *pod) {
    // The kernel removes links with their namespaces, many at a time; it would take 50 ms for one that is removed by itself.
    int netlink = pod->address ? netlink_open() : -1;
    if (netlink < 0) return;
    route_remove(netlink, pod->address);
    close(netlink);
}
