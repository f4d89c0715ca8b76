// Service rules as nf_tables. See nft.h for the rule table. What is installed, for services a, b and c:
//
//     table ip velocity-0 {
//       map ports         { type ipv4_addr . inet_proto . inet_service : verdict; elements = { A . tcp . 80 : jump s0, … } }
//       set empty         { the same key; elements = { B . tcp . 80, … } }
//       set self          { type ipv4_addr . ipv4_addr; elements = { P . P, Q . Q, … } }
//       chain prerouting  { type nat hook prerouting priority dstnat;  jump services }
//       chain output      { type nat hook output priority dstnat;      jump services }
//       chain services    { ip daddr . meta l4proto . th dport vmap @ports }
//       chain s0          { numgen random mod 2 == 0 dnat to P:8080; dnat to Q:8080 }
//       map aC            { type ipv4_addr : ipv4_addr . inet_service; flags dynamic,timeout; timeout 3h }
//       chain s2          { update @aC { ip saddr : that } dnat to ip saddr map @aC;     clients stay with their pod
//                           numgen random mod 2 == 0 add @aC { ip saddr : P . 8080 } dnat to P:8080; … }
//       chain postrouting { type nat hook postrouting priority srcnat;
//                           ip saddr . ip daddr @self snat to GATEWAY     a pod that reached itself through its service
//                           ip saddr 10.96.0.0/16 snat to GATEWAY         a socket of the host process
//                           ip saddr 127.0.0.0/8 ip daddr != 127.0.0.0/8 snat to GATEWAY }   one that asked for a node port
//       chain in, fwd, out { type filter …; jump refuse }
//       chain refuse      { ip daddr . meta l4proto . th dport @empty reject with tcp reset; … }
//     }
#define _GNU_SOURCE
#include "include/nft.h"
#include "nftbatch.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// The rule table

/// One rule of the table, as pointers into it (addresses and ports stay in network order).
struct service {
    const uint8_t *address, *port, *backends;
    uint8_t protocol;
    uint32_t affinity_seconds;
    uint16_t count;
};

enum { HEADER = 12, RULE = 13, BACKEND = 6 };

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return (uint32_t)read16(at) << 16 | read16(at + 2); }

/// Reads the rule at `*offset` and steps over it; -1 if it does not fit into the table.
static int next_service(const uint8_t *rules, size_t length, size_t *offset, struct service *service) {
    if (length - *offset < RULE) return -1;
    const uint8_t *at = rules + *offset;
    *service = (struct service){at, at + 4, at + RULE, at[6], read32(at + 7), read16(at + 11)};
    if (length - *offset - RULE < (size_t)service->count * BACKEND) return -1;
    *offset += RULE + (size_t)service->count * BACKEND;
    return service->protocol == IPPROTO_TCP || service->protocol == IPPROTO_UDP ? 0 : -1;
}

static int is_well_formed(const uint8_t *rules, size_t length) {
    if (length < HEADER || memcmp(rules, "VSR2", 4) != 0) return 0;
    size_t offset = HEADER;
    struct service service;
    for (unsigned i = read16(rules + 10); i > 0; i--)
        if (next_service(rules, length, &offset, &service) < 0) return 0;
    return offset == length;
}

// Clients that stay with their pod

static void name_map(char name[24], const struct service *service) {
    snprintf(name, 24, "a%08x-%u-%u", read32(service->address), read16(service->port), service->protocol);
}

static int is_backend(const struct service *service, const uint8_t *socket) {
    for (unsigned i = 0; i < service->count; i++)
        if (memcmp(service->backends + (size_t)i * BACKEND, socket, BACKEND) == 0) return 1;
    return 0;
}

static void keep_client(struct nft_batch *b, const uint8_t *client, const uint8_t *socket, uint64_t left) {
    size_t element = nft_open_nest(b, NFTA_LIST_ELEM), key = nft_open_nest(b, NFTA_SET_ELEM_KEY);
    nft_attribute(b, NFTA_DATA_VALUE, client, 4);
    nft_close_nest(b, key);
    size_t data = nft_open_nest(b, NFTA_SET_ELEM_DATA);
    nft_attribute(b, NFTA_DATA_VALUE, socket, 8);
    nft_close_nest(b, data);
    nft_number64(b, NFTA_SET_ELEM_EXPIRATION, left);
    nft_close_nest(b, element);
}

/// Takes over what one element of an old map says, if its pod is still there.
static void keep_element(struct nft_batch *b, const struct nlattr *element, const char *map, const struct service *service) {
    const uint8_t *parts = (const uint8_t *)(element + 1);
    size_t length = element->nla_len - sizeof *element;
    const struct nlattr *key = nft_find(parts, length, NFTA_SET_ELEM_KEY);
    const struct nlattr *data = nft_find(parts, length, NFTA_SET_ELEM_DATA);
    const struct nlattr *expiration = nft_find(parts, length, NFTA_SET_ELEM_EXPIRATION);
    enum { header = sizeof(struct nlattr) };
    // Each value is an attribute within the attribute.
    if (!key || key->nla_len < 2 * header + 4 || !data || data->nla_len < 2 * header + 8) return;
    if (!expiration || expiration->nla_len < header + 8) return;
    uint64_t left, longest = (uint64_t)service->affinity_seconds * 1000;
    memcpy(&left, expiration + 1, sizeof left);
    left = be64toh(left);
    const uint8_t *socket = (const uint8_t *)(data + 2);
    if (left == 0 || !is_backend(service, socket)) return;
    size_t nest = nft_begin_elements(b, map);
    keep_client(b, (const uint8_t *)(key + 2), socket, left < longest ? left : longest);
    nft_close_nest(b, nest);
    nft_end(b);
}

/// Takes over which clients belong to which pod from the table in force: a change elsewhere must not send them to another.
static void keep_clients(struct nft_batch *b, int fd, const char *current, const char *map, const struct service *service) {
    struct nft_batch request = {0};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    nft_message(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP);
    nft_text(&request, NFTA_SET_ELEM_LIST_TABLE, current);
    nft_text(&request, NFTA_SET_ELEM_LIST_SET, map);
    nft_end(&request);
    ssize_t sent = request.failed ? -1 : sendto(fd, request.bytes, request.length, 0, (struct sockaddr *)&kernel, sizeof kernel);
    free(request.bytes);
    static uint8_t answer[64 * 1024] __attribute__((aligned(8)));
    while (sent >= 0) {
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return;
        size_t rest = (size_t)length;
        for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, rest); m = NLMSG_NEXT(m, rest)) {
            // There was no such map, or this is the end of it.
            if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) return;
            size_t header = NLMSG_LENGTH(sizeof(struct nfgenmsg));
            if (m->nlmsg_len < header) continue;
            const struct nlattr *list =
                nft_find((const uint8_t *)m + header, m->nlmsg_len - header, NFTA_SET_ELEM_LIST_ELEMENTS);
            if (!list) continue;
            for (size_t at = sizeof *list; at + sizeof *list <= list->nla_len;) {
                const struct nlattr *element = (const struct nlattr *)((const uint8_t *)list + at);
                if (element->nla_len < sizeof *element || element->nla_len > list->nla_len - at) break;
                keep_element(b, element, map, service);
                at += NLA_ALIGN(element->nla_len);
            }
        }
    }
}

/// The map of a service's clients, and the rule that leads those to their pod.
static void build_affinity(struct nft_batch *b, const struct service *service, const char *map, const char *chain) {
    nft_set(b, &(struct nft_set){map, NFT_SET_MAP | NFT_SET_TIMEOUT | NFT_SET_EVAL, 4, 8,
                   (uint64_t)service->affinity_seconds * 1000});
    struct nft_rule rule = nft_begin_rule(b, chain);
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, 4);
    nft_lookup(b, map, NFT_REG_2);
    nft_remember(b, map);
    nft_nat(b, NFT_NAT_DNAT, NFT_REG32_04, NFT_REG32_05);
    nft_end_rule(b, rule);
}

// The table

/// The key of a service in maps and sets: address, protocol and port, each in a register of 4 bytes.
enum { key_length = 12 };

static void write_key(uint8_t key[key_length], const struct service *service) {
    memset(key, 0, key_length);
    memcpy(key, service->address, 4);
    key[4] = service->protocol;
    memcpy(key + 8, service->port, 2);
}

/// The key of what a packet is for, into register 1.
static void load_key(struct nft_batch *b) {
    nft_payload_into(b, NFT_REG32_00, NFT_PAYLOAD_NETWORK_HEADER, nft_destination, 4);
    nft_protocol_into(b, NFT_REG32_01);
    nft_payload_into(b, NFT_REG32_02, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
}

static void forward_service(struct nft_batch *b, const struct service *service, const char *name, const char *map) {
    for (unsigned i = 0; i < service->count; i++) {
        const uint8_t *backend = service->backends + (size_t)i * BACKEND;
        struct nft_rule rule = nft_begin_rule(b, name);
        if (service->count - i > 1) nft_match_one_of(b, service->count - i);
        if (map) {
            nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, 4);
            nft_load(b, NFT_REG32_04, backend, 4);
            nft_load(b, NFT_REG32_05, backend + 4, 2);
            nft_remember(b, map);
            nft_nat(b, NFT_NAT_DNAT, NFT_REG32_04, NFT_REG32_05);
        } else {
            nft_translate(b, NFT_NAT_DNAT, backend, backend + 4);
        }
        nft_end_rule(b, rule);
    }
}

static void build_frame(struct nft_batch *b, const uint8_t *gateway, const uint8_t *network, int has_reject) {
    // The table is deleted first, so that a repeat of a failed build starts clean.
    nft_table(b, NFT_MSG_NEWTABLE, b->table, 0);
    nft_table(b, NFT_MSG_DELTABLE, b->table, 0);
    nft_table(b, NFT_MSG_NEWTABLE, b->table, 0);
    nft_set(b, &(struct nft_set){.name = "ports", .flags = NFT_SET_MAP, .key_length = key_length});
    nft_set(b, &(struct nft_set){.name = "empty", .key_length = key_length});
    nft_set(b, &(struct nft_set){.name = "self", .key_length = 8});
    nft_chain(b, "services", NULL, 0, 0);
    nft_chain(b, "refuse", NULL, 0, 0);
    nft_chain(b, "prerouting", "nat", NF_INET_PRE_ROUTING, -100);
    nft_chain(b, "output", "nat", NF_INET_LOCAL_OUT, -100);
    nft_chain(b, "postrouting", "nat", NF_INET_POST_ROUTING, 100);
    nft_chain(b, "in", "filter", NF_INET_LOCAL_IN, 0);
    nft_chain(b, "fwd", "filter", NF_INET_FORWARD, 0);
    nft_chain(b, "out", "filter", NF_INET_LOCAL_OUT, 0);
    nft_jump_rule(b, "prerouting", "services");
    nft_jump_rule(b, "output", "services");
    nft_jump_rule(b, "in", "refuse");
    nft_jump_rule(b, "fwd", "refuse");
    nft_jump_rule(b, "out", "refuse");
    struct nft_rule rule = nft_begin_rule(b, "services");
    load_key(b);
    nft_lookup(b, "ports", NFT_REG_VERDICT);
    nft_end_rule(b, rule);
    for (int i = 0; i < 2 && has_reject; i++) {
        uint8_t protocol = i == 0 ? IPPROTO_TCP : IPPROTO_UDP;
        rule = nft_begin_rule(b, "refuse");
        nft_match_protocol(b, protocol);
        load_key(b);
        nft_lookup(b, "empty", -1);
        nft_reject(b, protocol);
        nft_end_rule(b, rule);
    }
    rule = nft_begin_rule(b, "postrouting");
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, 8);
    nft_lookup(b, "self", -1);
    nft_translate(b, NFT_NAT_SNAT, gateway, NULL);
    nft_end_rule(b, rule);
    rule = nft_begin_rule(b, "postrouting");
    nft_match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, network, 2);
    nft_translate(b, NFT_NAT_SNAT, gateway, NULL);
    nft_end_rule(b, rule);
    uint8_t loopback = 127;
    rule = nft_begin_rule(b, "postrouting");
    nft_match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, &loopback, 1);
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_destination, 1);
    nft_compare(b, NFT_CMP_NEQ, &loopback, 1);
    nft_translate(b, NFT_NAT_SNAT, gateway, NULL);
    nft_end_rule(b, rule);
}

/// What packets for the services find: the chain of each one, or that there is nobody.
static void build_elements(struct nft_batch *b, const uint8_t *rules, size_t length) {
    struct nft_elements ports = {.batch = b, .set = "ports"}, empty = {.batch = b, .set = "empty"},
                        self = {.batch = b, .set = "self"};
    struct nft_elements *sets[] = {&ports, &empty, &self};
    for (int which = 0; which < 3; which++) {
        size_t offset = HEADER;
        for (unsigned i = 0, count = read16(rules + 10); i < count; i++) {
            struct service service;
            char name[16];
            uint8_t key[key_length];
            if (next_service(rules, length, &offset, &service) < 0) break;
            write_key(key, &service);
            snprintf(name, sizeof name, "s%u", i);
            if (which == 0 && service.count > 0) nft_add_element(sets[which], key, sizeof key, name);
            if (which == 1 && service.count == 0) nft_add_element(sets[which], key, sizeof key, NULL);
            for (unsigned j = 0; which == 2 && j < service.count; j++) {
                uint8_t pair[8];
                memcpy(pair, service.backends + (size_t)j * BACKEND, 4);
                memcpy(pair + 4, pair, 4);
                nft_add_element(sets[which], pair, sizeof pair, NULL);
            }
        }
        nft_end_elements(sets[which]);
    }
}

/// Everything in the table; `current` is the one in force, or NULL.
static void build(struct nft_batch *b, const uint8_t *rules, size_t length, int has_reject, int fd, const char *current) {
    size_t offset = HEADER;
    build_frame(b, rules + 4, rules + 8, has_reject);
    for (unsigned i = 0, count = read16(rules + 10); i < count; i++) {
        struct service service;
        char name[16], map[24];
        if (next_service(rules, length, &offset, &service) < 0) break;
        if (service.count == 0) continue;
        snprintf(name, sizeof name, "s%u", i);
        name_map(map, &service);
        int remembers = service.affinity_seconds > 0;
        nft_chain(b, name, NULL, 0, 0);
        if (remembers) build_affinity(b, &service, map, name);
        forward_service(b, &service, name, remembers ? map : NULL);
        if (remembers && current) keep_clients(b, fd, current, map, &service);
    }
    build_elements(b, rules, length);
}

int vs_nft_apply(const uint8_t *rules, size_t length, char *error, size_t capacity) {
    // Which of the two names is in use. One thread of one namespace calls this, so the state may be static.
    static const char *current;
    static int reject_is_missing;
    size_t limit;
    if (!is_well_formed(rules, length)) return nft_fail(-EINVAL, error, capacity, "the service rule table is malformed");
    int fd = nft_socket(&limit);
    if (fd < 0) return nft_fail(fd, error, capacity, "no netfilter socket: %s", strerror(-fd));
    const char *next = current && strcmp(current, "velocity-0") == 0 ? "velocity-1" : "velocity-0";
    int result;
    for (;;) {
        struct nft_batch b = {.table = next};
        build(&b, rules, length, !reject_is_missing, fd, current);
        result = b.failed ? -ENOMEM : nft_install(fd, &b, current, limit);
        free(b.bytes);
        if (result != -ENOENT || reject_is_missing) break;
        reject_is_missing = 1;
    }
    if (result < 0) return nft_fail(result, error, capacity, "nf_tables refused the service rules: %s", strerror(-result));
    current = next;
    return 0;
}

int vs_nft_probe(void) {
    static const uint8_t rules[] = {
        'V', 'S', 'R', '2', 169, 254, 1, 1, 10, 96, 0, 2,
        10, 96, 0, 1, 0, 80, IPPROTO_TCP, 0, 0, 0, 0, 0, 2, 10, 244, 0, 1, 0, 80, 10, 244, 0, 2, 0, 80,
        10, 96, 0, 2, 0, 53, IPPROTO_UDP, 0, 0, 0, 0, 0, 1, 10, 244, 0, 1, 0, 53,
    };
    size_t limit;
    int fd = nft_socket(&limit);
    if (fd < 0) return fd;
    struct nft_batch b = {.table = "velocity-probe"};
    build(&b, rules, sizeof rules, 0, fd, NULL);
    nft_table(&b, NFT_MSG_DELTABLE, b.table, 0);
    int result = b.failed ? -ENOMEM : nft_transact(fd, &b, 0, b.length);
    free(b.bytes);
    return result;
}
