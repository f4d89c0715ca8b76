// The way out of the cluster for what is no TCP: a link at whose far end this program reads what leaves, and writes what comes back.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

/// What goes into one packet: as much as IPv4 has.
enum { mtu = 65535 };

/// The far end: frames of Ethernet, whose addresses are those of the near end and nobody's.
static int open_far_end(void) {
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)if_nametoindex("out1")};
    int made = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) return -errno;
    // What comes in pieces is put together again: as a group of one, for which the kernel does that.
    int group = (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG) << 16 | 1;
    if (bind(made, (struct sockaddr *)&place, sizeof place) == 0
        && setsockopt(made, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) == 0) {
        return made;
    }
    int outcome = -errno;
    close(made);
    return outcome;
}

int egress_open(char *error, size_t capacity) {
    int netlink = netlink_open();
    int outcome = netlink < 0 ? -errno : veth_create(netlink, "out0", "out1", sandboxd.network);
    // Nobody asks who has an address out there.
    if (outcome == 0) outcome = link_prepare(netlink, "out0", mtu, IFF_NOARP);
    if (outcome == 0) outcome = link_prepare(netlink, "out1", mtu, IFF_NOARP);
    if (outcome == 0) outcome = link_up(netlink, "out0");
    if (outcome == 0) outcome = link_up(netlink, "out1");
    // A pod that is not there is not looked for outside.
    if (outcome == 0) outcome = route_add(netlink, inet_addr("10.244.0.0"), 16, NULL, 0, 0, RTN_THROW);
    if (outcome == 0) outcome = open_far_end();
    if (outcome >= 0) {
        int way = route_add(netlink, 0, 0, "out0", 0, 0, 0);
        if (way < 0) {
            close(outcome);
            outcome = way;
        }
    }
    if (netlink >= 0) close(netlink);
    if (outcome >= 0) return outcome;
    errno = -outcome;
    return complain(error, capacity, "there is no way out for datagrams");
}
