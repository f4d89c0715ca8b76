// Service rules as nf_tables over raw nfnetlink. See nft.h for the rule table.
//
// Only payload, cmp, meta, numgen, immediate, nat and verdicts are used (and reject, where the kernel has it): some WSL2
// kernels lack fib, counters, masquerade and the bridge family. What is installed, for services a and b:
//
//     table ip velocity-0 {
//       chain prerouting  { type nat hook prerouting priority dstnat;  jump services }
//       chain output      { type nat hook output priority dstnat;      jump services }
//       chain services    { ip daddr A tcp dport 80 jump s0; … }
//       chain s0          { numgen random mod 2 == 0 dnat to P:8080; dnat to Q:8080 }
//       chain postrouting { type nat hook postrouting priority srcnat;
//                           ip saddr P ip daddr P snat to GATEWAY; …      a pod that reached itself through its service
//                           ip saddr 10.96.0.0/16 snat to GATEWAY }       a socket of the host process
//       chain in, fwd, out { type filter …; jump refuse }
//       chain refuse      { ip daddr B tcp dport 80 reject with tcp reset; … }
//     }
//
// A netlink message cannot be larger than the socket's send buffer, which a rootless process cannot raise without limit.
// Tables that do not fit are built asleep (dormant) in several batches under the other of two names; the last batch wakes
// the new table and deletes the old one, so the change stays atomic.
#define _GNU_SOURCE
#include "nft.h"

#include <errno.h>
#include <netinet/in.h>  // before <linux/…>, which defines the same names when it comes first

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// Messages back to back; `failed` is set when memory ran out, and everything after that is a no-op.
struct batch {
    uint8_t *bytes;
    size_t length, capacity;
    size_t message;      // offset of the message being written
    size_t flags;        // offset of the flags of the new table
    uint32_t sequence;
    const char *table;
    int failed;
};

static void put(struct batch *b, const void *bytes, size_t length) {
    size_t padded = (length + 3) & ~(size_t)3;
    if (b->failed) return;
    if (b->length + padded > b->capacity) {
        size_t capacity = (b->capacity + padded) * 2;
        uint8_t *grown = realloc(b->bytes, capacity);
        if (!grown) {
            b->failed = 1;
            return;
        }
        b->bytes = grown;
        b->capacity = capacity;
    }
    if (length > 0) memcpy(b->bytes + b->length, bytes, length);
    memset(b->bytes + b->length + length, 0, padded - length);
    b->length += padded;
}

static void attribute(struct batch *b, uint16_t type, const void *bytes, size_t length) {
    struct nlattr header = {.nla_len = (uint16_t)(sizeof header + length), .nla_type = type};
    put(b, &header, sizeof header);
    put(b, bytes, length);
}

static void text(struct batch *b, uint16_t type, const char *string) { attribute(b, type, string, strlen(string) + 1); }

static void number(struct batch *b, uint16_t type, uint32_t value) {
    uint32_t big = htonl(value);
    attribute(b, type, &big, sizeof big);
}

static size_t open_nest(struct batch *b, uint16_t type) {
    size_t at = b->length;
    attribute(b, type | NLA_F_NESTED, NULL, 0);
    return at;
}

static void close_nest(struct batch *b, size_t at) {
    if (b->failed) return;
    ((struct nlattr *)(b->bytes + at))->nla_len = (uint16_t)(b->length - at);
}

static void begin(struct batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++b->sequence};
    struct nfgenmsg body = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
    b->message = b->length;
    put(b, &header, sizeof header);
    put(b, &body, sizeof body);
}

static void begin_nft(struct batch *b, uint16_t type, uint16_t flags) {
    begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_IPV4, 0);
}

static void end(struct batch *b) {
    if (b->failed) return;
    ((struct nlmsghdr *)(b->bytes + b->message))->nlmsg_len = (uint32_t)(b->length - b->message);
}

// Tables and chains

static void table(struct batch *b, uint16_t type, const char *name, uint32_t flags) {
    begin_nft(b, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    text(b, NFTA_TABLE_NAME, name);
    if (type == NFT_MSG_NEWTABLE) {
        number(b, NFTA_TABLE_FLAGS, flags);
        b->flags = b->length - sizeof(uint32_t);
    }
    end(b);
}

static void chain(struct batch *b, const char *name, const char *type, uint32_t hook, int32_t priority) {
    begin_nft(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    text(b, NFTA_CHAIN_TABLE, b->table);
    text(b, NFTA_CHAIN_NAME, name);
    if (type) {
        size_t nest = open_nest(b, NFTA_CHAIN_HOOK);
        number(b, NFTA_HOOK_HOOKNUM, hook);
        number(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
        close_nest(b, nest);
        text(b, NFTA_CHAIN_TYPE, type);
    }
    end(b);
}

// Rules

struct rule {
    size_t expressions;
};

static struct rule begin_rule(struct batch *b, const char *chain) {
    begin_nft(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    text(b, NFTA_RULE_TABLE, b->table);
    text(b, NFTA_RULE_CHAIN, chain);
    return (struct rule){open_nest(b, NFTA_RULE_EXPRESSIONS)};
}

static void end_rule(struct batch *b, struct rule rule) {
    close_nest(b, rule.expressions);
    end(b);
}

struct expression {
    size_t element, data;
};

static struct expression begin_expression(struct batch *b, const char *name) {
    struct expression e = {.element = open_nest(b, NFTA_LIST_ELEM)};
    text(b, NFTA_EXPR_NAME, name);
    e.data = open_nest(b, NFTA_EXPR_DATA);
    return e;
}

static void end_expression(struct batch *b, struct expression e) {
    close_nest(b, e.data);
    close_nest(b, e.element);
}

static void compare(struct batch *b, const void *value, size_t length) {
    struct expression e = begin_expression(b, "cmp");
    number(b, NFTA_CMP_SREG, NFT_REG_1);
    number(b, NFTA_CMP_OP, NFT_CMP_EQ);
    size_t data = open_nest(b, NFTA_CMP_DATA);
    attribute(b, NFTA_DATA_VALUE, value, length);
    close_nest(b, data);
    end_expression(b, e);
}

static void match_payload(struct batch *b, uint32_t base, uint32_t offset, const void *value, uint32_t length) {
    struct expression e = begin_expression(b, "payload");
    number(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
    number(b, NFTA_PAYLOAD_BASE, base);
    number(b, NFTA_PAYLOAD_OFFSET, offset);
    number(b, NFTA_PAYLOAD_LEN, length);
    end_expression(b, e);
    compare(b, value, length);
}

static void match_protocol(struct batch *b, uint8_t protocol) {
    struct expression e = begin_expression(b, "meta");
    number(b, NFTA_META_DREG, NFT_REG_1);
    number(b, NFTA_META_KEY, NFT_META_L4PROTO);
    end_expression(b, e);
    compare(b, &protocol, sizeof protocol);
}

/// True for one of `count` connections, at random.
static void match_one_of(struct batch *b, uint32_t count) {
    uint32_t zero = 0;
    struct expression e = begin_expression(b, "numgen");
    number(b, NFTA_NG_DREG, NFT_REG_1);
    number(b, NFTA_NG_MODULUS, count);
    number(b, NFTA_NG_TYPE, NFT_NG_RANDOM);
    number(b, NFTA_NG_OFFSET, 0);
    end_expression(b, e);
    compare(b, &zero, sizeof zero);
}

static void load(struct batch *b, uint32_t destination, const void *value, size_t length) {
    struct expression e = begin_expression(b, "immediate");
    number(b, NFTA_IMMEDIATE_DREG, destination);
    size_t data = open_nest(b, NFTA_IMMEDIATE_DATA);
    attribute(b, NFTA_DATA_VALUE, value, length);
    close_nest(b, data);
    end_expression(b, e);
}

static void translate(struct batch *b, uint32_t type, const uint8_t *address, const uint8_t *port) {
    load(b, NFT_REG_1, address, 4);
    if (port) load(b, NFT_REG_2, port, 2);
    struct expression e = begin_expression(b, "nat");
    number(b, NFTA_NAT_TYPE, type);
    number(b, NFTA_NAT_FAMILY, NFPROTO_IPV4);
    number(b, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
    if (port) number(b, NFTA_NAT_REG_PROTO_MIN, NFT_REG_2);
    end_expression(b, e);
}

static void jump(struct batch *b, const char *chain) {
    struct expression e = begin_expression(b, "immediate");
    number(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = open_nest(b, NFTA_IMMEDIATE_DATA), verdict = open_nest(b, NFTA_DATA_VERDICT);
    number(b, NFTA_VERDICT_CODE, (uint32_t)NFT_JUMP);
    text(b, NFTA_VERDICT_CHAIN, chain);
    close_nest(b, verdict);
    close_nest(b, data);
    end_expression(b, e);
}

static void reject(struct batch *b, uint8_t protocol) {
    uint8_t port_unreachable = 3;
    struct expression e = begin_expression(b, "reject");
    number(b, NFTA_REJECT_TYPE, protocol == IPPROTO_TCP ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
    if (protocol != IPPROTO_TCP) attribute(b, NFTA_REJECT_ICMP_CODE, &port_unreachable, 1);
    end_expression(b, e);
}

static void jump_rule(struct batch *b, const char *from, const char *to) {
    struct rule rule = begin_rule(b, from);
    jump(b, to);
    end_rule(b, rule);
}

// The rule table

/// One rule of the table, as pointers into it (addresses and ports stay in network order).
struct service {
    const uint8_t *address, *port, *backends;
    uint8_t protocol;
    uint16_t count;
};

enum { HEADER = 10, RULE = 9, BACKEND = 6, SOURCE = 12, DESTINATION = 16 };

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

/// Reads the rule at `*offset` and steps over it; -1 if it does not fit into the table.
static int next_service(const uint8_t *rules, size_t length, size_t *offset, struct service *service) {
    if (length - *offset < RULE) return -1;
    const uint8_t *at = rules + *offset;
    *service = (struct service){at, at + 4, at + RULE, at[6], read16(at + 7)};
    if (length - *offset - RULE < (size_t)service->count * BACKEND) return -1;
    *offset += RULE + (size_t)service->count * BACKEND;
    return service->protocol == IPPROTO_TCP || service->protocol == IPPROTO_UDP ? 0 : -1;
}

static int is_well_formed(const uint8_t *rules, size_t length) {
    if (length < HEADER || memcmp(rules, "VSR1", 4) != 0) return 0;
    size_t offset = HEADER;
    struct service service;
    for (unsigned i = read16(rules + 8); i > 0; i--)
        if (next_service(rules, length, &offset, &service) < 0) return 0;
    return offset == length;
}

static struct rule begin_service_rule(struct batch *b, const char *chain, const struct service *service) {
    struct rule rule = begin_rule(b, chain);
    match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, DESTINATION, service->address, 4);
    match_protocol(b, service->protocol);
    match_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, service->port, 2);
    return rule;
}

static void forward_service(struct batch *b, const struct service *service, const char *name) {
    chain(b, name, NULL, 0, 0);
    for (unsigned i = 0; i < service->count; i++) {
        const uint8_t *backend = service->backends + (size_t)i * BACKEND;
        struct rule rule = begin_rule(b, name);
        if (service->count - i > 1) match_one_of(b, service->count - i);
        translate(b, NFT_NAT_DNAT, backend, backend + 4);
        end_rule(b, rule);
    }
    struct rule rule = begin_service_rule(b, "services", service);
    jump(b, name);
    end_rule(b, rule);
}

/// Small sets of byte strings: what has a source rule already.
static int insert(uint8_t **set, size_t *count, const uint8_t *value, size_t size) {
    for (size_t i = 0; i < *count; i++)
        if (memcmp(*set + i * size, value, size) == 0) return 0;
    if ((*count & (*count + 1)) == 0 || *set == NULL) {
        uint8_t *grown = realloc(*set, (*count + 1) * 2 * size);
        if (!grown) return -1;
        *set = grown;
    }
    memcpy(*set + (*count)++ * size, value, size);
    return 1;
}

static void return_through(struct batch *b, const uint8_t *gateway, const uint8_t *source, uint32_t length, const uint8_t *to) {
    struct rule rule = begin_rule(b, "postrouting");
    match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, SOURCE, source, length);
    if (to) match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, DESTINATION, to, 4);
    translate(b, NFT_NAT_SNAT, gateway, NULL);
    end_rule(b, rule);
}

/// Everything in the table; it starts with the table itself, so that a repeat of a failed build starts clean.
static void build(struct batch *b, const uint8_t *rules, size_t length, int has_reject) {
    const uint8_t *gateway = rules + 4;
    uint8_t *pods = NULL, *networks = NULL;
    size_t pod_count = 0, network_count = 0, offset = HEADER;

    table(b, NFT_MSG_NEWTABLE, b->table, 0);
    table(b, NFT_MSG_DELTABLE, b->table, 0);
    table(b, NFT_MSG_NEWTABLE, b->table, 0);
    chain(b, "services", NULL, 0, 0);
    chain(b, "refuse", NULL, 0, 0);
    chain(b, "prerouting", "nat", NF_INET_PRE_ROUTING, -100);
    chain(b, "output", "nat", NF_INET_LOCAL_OUT, -100);
    chain(b, "postrouting", "nat", NF_INET_POST_ROUTING, 100);
    chain(b, "in", "filter", NF_INET_LOCAL_IN, 0);
    chain(b, "fwd", "filter", NF_INET_FORWARD, 0);
    chain(b, "out", "filter", NF_INET_LOCAL_OUT, 0);
    jump_rule(b, "prerouting", "services");
    jump_rule(b, "output", "services");
    jump_rule(b, "in", "refuse");
    jump_rule(b, "fwd", "refuse");
    jump_rule(b, "out", "refuse");

    unsigned count = read16(rules + 8);
    for (unsigned i = 0; i < count; i++) {
        struct service service;
        char name[16];
        if (next_service(rules, length, &offset, &service) < 0) break;
        snprintf(name, sizeof name, "s%u", i);
        if (service.count > 0) {
            forward_service(b, &service, name);
        } else if (has_reject) {
            struct rule rule = begin_service_rule(b, "refuse", &service);
            reject(b, service.protocol);
            end_rule(b, rule);
        }
        if (insert(&networks, &network_count, service.address, 2) < 0) b->failed = 1;
        for (unsigned j = 0; j < service.count; j++) {
            const uint8_t *pod = service.backends + (size_t)j * BACKEND;
            int is_new = insert(&pods, &pod_count, pod, 4);
            if (is_new < 0) b->failed = 1;
            if (is_new > 0) return_through(b, gateway, pod, 4, pod);
        }
    }
    for (size_t i = 0; i < network_count; i++) return_through(b, gateway, networks + i * 2, 2, NULL);
    free(pods);
    free(networks);
}

// Talking to the kernel

/// Sends messages `from` up to `to` of `b` as one transaction and returns 0 or the kernel's first complaint.
static int transact(int fd, struct batch *b, size_t from, size_t to) {
    struct batch frame = {0};
    begin(&frame, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end(&frame);
    size_t last = frame.length;
    put(&frame, b->bytes + from, to - from);
    if (frame.failed) {
        free(frame.bytes);
        return -ENOMEM;
    }
    // Failures are always reported; success only when asked for, and one answer is enough.
    for (size_t at = last; at < frame.length; at += ((struct nlmsghdr *)(frame.bytes + at))->nlmsg_len) last = at;
    ((struct nlmsghdr *)(frame.bytes + last))->nlmsg_flags |= NLM_F_ACK;
    begin(&frame, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    end(&frame);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent = frame.failed ? (errno = ENOMEM, -1)
                                : sendto(fd, frame.bytes, frame.length, 0, (struct sockaddr *)&kernel, sizeof kernel);
    int result = sent < 0 ? -errno : 0, answers = 0;
    free(frame.bytes);
    // The kernel has worked through the batch before sendto returns, so its answers are all there.
    uint8_t answer[8192] __attribute__((aligned(8)));
    while (result == 0) {
        ssize_t length = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) break;
        size_t rest = (size_t)length;
        for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, rest); m = NLMSG_NEXT(m, rest)) {
            answers++;
            if (m->nlmsg_type == NLMSG_ERROR && result == 0) result = ((struct nlmsgerr *)NLMSG_DATA(m))->error;
        }
    }
    return result == 0 && answers == 0 ? -EIO : result;
}

/// Sends the new table whole if it fits, else asleep and in parts; the last transaction also deletes the table `old`.
static int send_all(int fd, struct batch *b, size_t flags, const char *old, size_t limit) {
    size_t start = 0, at = 0;
    if (b->length + 256 > limit) {
        uint32_t dormant = htonl(NFT_TABLE_F_DORMANT);
        memcpy(b->bytes + flags, &dormant, sizeof dormant);
        while (at < b->length) {
            size_t size = ((struct nlmsghdr *)(b->bytes + at))->nlmsg_len;
            if (at + size - start + 256 > limit) {
                int result = transact(fd, b, start, at);
                if (result < 0) return result;
                start = at;
            }
            at += size;
        }
        int result = transact(fd, b, start, b->length);
        if (result < 0) return result;
        start = b->length;
        table(b, NFT_MSG_NEWTABLE, b->table, 0);
    }
    if (old) {
        table(b, NFT_MSG_NEWTABLE, old, 0);
        table(b, NFT_MSG_DELTABLE, old, 0);
    }
    return b->failed ? -ENOMEM : transact(fd, b, start, b->length);
}

static int open_socket(size_t *limit) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = 1 << 20;
    socklen_t length = sizeof size;
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0 || size < 16384) size = 16384;
    *limit = (size_t)size - 4096;
    return fd;
}

static int fail(int code, char *error, size_t capacity, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (capacity > 0) vsnprintf(error, capacity, format, arguments);
    va_end(arguments);
    return code;
}

int vs_nft_apply(const uint8_t *rules, size_t length, char *error, size_t capacity) {
    // Which of the two names is in use, and the socket: closing one waits 7 to 20 ms for the kernel to free what was
    // replaced, installing the rules takes 0.4 ms. One thread of one namespace calls this, so the state may be static.
    static const char *current;
    static int reject_is_missing, fd = -1;
    static size_t limit;
    if (!is_well_formed(rules, length)) return fail(-EINVAL, error, capacity, "the service rule table is malformed");
    if (fd < 0) fd = open_socket(&limit);
    if (fd < 0) return fail(fd, error, capacity, "no netfilter socket: %s", strerror(-fd));
    const char *next = current && strcmp(current, "velocity-0") == 0 ? "velocity-1" : "velocity-0";
    int result;
    for (;;) {
        struct batch b = {.table = next};
        build(&b, rules, length, !reject_is_missing);
        result = b.failed ? -ENOMEM : send_all(fd, &b, b.flags, current, limit);
        free(b.bytes);
        if (result != -ENOENT || reject_is_missing) break;
        reject_is_missing = 1;
    }
    if (result < 0) return fail(result, error, capacity, "nf_tables refused the service rules: %s", strerror(-result));
    current = next;
    return 0;
}

int vs_nft_probe(void) {
    static const uint8_t rules[] = {
        'V', 'S', 'R', '1', 169, 254, 1, 1, 0, 2,
        10, 96, 0, 1, 0, 80, IPPROTO_TCP, 0, 2, 10, 244, 0, 1, 0, 80, 10, 244, 0, 2, 0, 80,
        10, 96, 0, 2, 0, 53, IPPROTO_UDP, 0, 1, 10, 244, 0, 1, 0, 53,
    };
    size_t limit;
    int fd = open_socket(&limit);
    if (fd < 0) return fd;
    struct batch b = {.table = "velocity-probe"};
    build(&b, rules, sizeof rules, 0);
    table(&b, NFT_MSG_DELTABLE, b.table, 0);
    int result = b.failed ? -ENOMEM : transact(fd, &b, 0, b.length);
    free(b.bytes);
    close(fd);
    return result;
}
