// Links, addresses and routes over rtnetlink. One request, one acknowledgement.
#define _GNU_SOURCE 1
#include "sandboxd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        struct rtmsg route;
        struct fib_rule_hdr rule;
    } body;
    char attributes[512];
};

int netlink_open(void) { return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); }

static struct request begin(int type, int flags, size_t body) {
    struct request request;
    memset(&request, 0, sizeof request);
    request.header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
    request.header.nlmsg_type = (uint16_t)type;
    request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    return request;
}

static struct rtattr *add(struct request *request, int type, const void *data, size_t length) {
    struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
    attribute->rta_type = (uint16_t)type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(length);
    if (length) memcpy(RTA_DATA(attribute), data, length);
    request->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len));
    return attribute;
}

static void end(struct request *request, struct rtattr *nest) {
    nest->rta_len = (uint16_t)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static int transact(int netlink, struct request *request) {
    char answer[4096];
    if (send(netlink, request, request->header.nlmsg_len, 0) < 0) return -errno;
    ssize_t length = recv(netlink, answer, sizeof answer, 0);
    if (length < 0) return -errno;
    struct nlmsghdr *header = (struct nlmsghdr *)answer;
    if (!NLMSG_OK(header, (size_t)length) || header->nlmsg_type != NLMSG_ERROR) return -EPROTO;
    return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
}

int link_up(int netlink, const char *name) {
    struct request request = begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
    request.body.link.ifi_index = (int)if_nametoindex(name);
    request.body.link.ifi_flags = IFF_UP;
    request.body.link.ifi_change = IFF_UP;
    return transact(netlink, &request);
}

int link_prepare(int netlink, const char *name, uint32_t mtu, unsigned flags) {
    struct request request = begin(RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
    request.body.link.ifi_index = (int)if_nametoindex(name);
    request.body.link.ifi_flags = flags;
    request.body.link.ifi_change = flags;
    add(&request, IFLA_MTU, &mtu, sizeof mtu);
    return transact(netlink, &request);
}

int address_add(int netlink, const char *name, uint32_t address, int prefix) {
    struct request request = begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct ifaddrmsg));
    request.body.address.ifa_family = AF_INET;
    request.body.address.ifa_prefixlen = (uint8_t)prefix;
    request.body.address.ifa_index = if_nametoindex(name);
    add(&request, IFA_LOCAL, &address, 4);
    add(&request, IFA_ADDRESS, &address, 4);
    return transact(netlink, &request);
}

int route_add(int netlink, uint32_t target, int prefix, const char *interface, uint32_t gateway, uint32_t source, int type) {
    struct request request = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(struct rtmsg));
    request.body.route.rtm_family = AF_INET;
    request.body.route.rtm_dst_len = (uint8_t)prefix;
    request.body.route.rtm_protocol = RTPROT_BOOT;
    request.body.route.rtm_type = (uint8_t)(type ? type : RTN_UNICAST);
    // What leads to a loopback address has to be found before the loopback interface is.
    bool is_before = type == RTN_LOCAL || (prefix && ntohl(target) >> 24 == 127);
    request.body.route.rtm_table = is_before ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
    request.body.route.rtm_scope = type == RTN_LOCAL ? RT_SCOPE_HOST : gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    if (prefix) add(&request, RTA_DST, &target, 4);
    if (gateway) add(&request, RTA_GATEWAY, &gateway, 4);
    if (source) add(&request, RTA_PREFSRC, &source, 4);
    if (interface) {
        uint32_t index = if_nametoindex(interface);
        add(&request, RTA_OIF, &index, 4);
    }
    return transact(netlink, &request);
}

int route_remove(int netlink, uint32_t target) {
    struct request request = begin(RTM_DELROUTE, 0, sizeof(struct rtmsg));
    request.body.route.rtm_family = AF_INET;
    request.body.route.rtm_dst_len = 32;
    request.body.route.rtm_table = RT_TABLE_MAIN;
    request.body.route.rtm_scope = RT_SCOPE_NOWHERE;
    add(&request, RTA_DST, &target, 4);
    return transact(netlink, &request);
}

int route_strangers(int netlink) {
    enum { table = 100 };
    uint32_t loopback = if_nametoindex("lo"), after_others = 32768;
    struct request rule = begin(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct fib_rule_hdr));
    rule.body.rule.family = AF_INET;
    rule.body.rule.action = FR_ACT_TO_TBL;
    rule.body.rule.table = table;
    // What comes in by "lo" is what this namespace itself sends.
    rule.body.rule.flags = FIB_RULE_INVERT;
    add(&rule, FRA_IIFNAME, "lo", sizeof "lo");
    add(&rule, FRA_PRIORITY, &after_others, 4);
    int outcome = transact(netlink, &rule);
    struct request route = begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct rtmsg));
    route.body.route.rtm_family = AF_INET;
    route.body.route.rtm_protocol = RTPROT_BOOT;
    route.body.route.rtm_type = RTN_UNICAST;
    route.body.route.rtm_scope = RT_SCOPE_LINK;
    route.body.route.rtm_table = table;
    add(&route, RTA_OIF, &loopback, 4);
    return outcome < 0 ? outcome : transact(netlink, &route);
}

int veth_create(int netlink, const char *name, const char *peer, int peer_namespace) {
    struct request request = begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
    // One queue each: by default there are as many as processors, and each has its folder in /sys.
    uint32_t one = 1;
    add(&request, IFLA_IFNAME, name, strlen(name) + 1);
    add(&request, IFLA_NUM_TX_QUEUES, &one, sizeof one);
    add(&request, IFLA_NUM_RX_QUEUES, &one, sizeof one);
    struct rtattr *information = add(&request, IFLA_LINKINFO, NULL, 0);
    add(&request, IFLA_INFO_KIND, "veth", 5);
    struct rtattr *data = add(&request, IFLA_INFO_DATA, NULL, 0);
    struct ifinfomsg empty;
    memset(&empty, 0, sizeof empty);
    struct rtattr *other = add(&request, VETH_INFO_PEER, &empty, sizeof empty);
    add(&request, IFLA_IFNAME, peer, strlen(peer) + 1);
    add(&request, IFLA_NUM_TX_QUEUES, &one, sizeof one);
    add(&request, IFLA_NUM_RX_QUEUES, &one, sizeof one);
    add(&request, IFLA_NET_NS_FD, &peer_namespace, sizeof peer_namespace);
    end(&request, other);
    end(&request, data);
    end(&request, information);
    return transact(netlink, &request);
}
