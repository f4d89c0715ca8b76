// What pods may send to each other, as nf_tables. See nft.h for the policy table. What is installed:
//
//     table ip velocity-policy-0 {
//       set p0        { type ipv4_addr; elements = { … } }            pods that a policy names
//       set self      { type ipv4_addr . ipv4_addr; elements = { P . P, … } }
//       set locals    { type ipv4_addr; elements = { DNS, … } }
//       map ingress   { type ipv4_addr : verdict; elements = { P : jump c0, … } }
//       map egress    …
//       chain c0      { ip saddr @p0 tcp dport 80 return; …; drop }    for each end by itself: both have to agree
//       chain judge   { ct state established,related accept; ip saddr . ip daddr @self accept;
//                       ip saddr vmap @egress; ip daddr vmap @ingress }
//       chain forward { type filter hook forward priority 10; ip saddr NODE accept; jump judge }
//       chain input   { type filter hook input priority 10; ip saddr NODE accept; ip daddr @locals jump judge }
//       chain output  { type filter hook output priority 10; ip saddr @locals jump judge }
//       chain leaving { type filter hook prerouting priority -150; ip daddr != CLUSTER jump judge }   if there is a way out
//     }
//
// Services are translated before the forward hook, so a policy judges the pod that a connection goes to.
#define _GNU_SOURCE
#include "include/nft.h"
#include "nftbatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The table, read from its start; `failed` is set at its end.
struct cursor {
    const uint8_t *at, *end;
    int failed;
};

static const uint8_t *take(struct cursor *c, size_t count) {
    static const uint8_t zeros[8];
    if (c->failed || (size_t)(c->end - c->at) < count) {
        c->failed = 1;
        return zeros;
    }
    c->at += count;
    return c->at - count;
}

static unsigned take8(struct cursor *c) { return *take(c, 1); }

static unsigned take16(struct cursor *c) {
    const uint8_t *at = take(c, 2);
    return (unsigned)(at[0] << 8 | at[1]);
}

static void build_set(struct nft_batch *b, struct cursor *c, const char *name) {
    nft_set(b, &(struct nft_set){.name = name, .key_length = 4});
    struct nft_elements elements = {.batch = b, .set = name};
    for (unsigned left = take16(c); left > 0 && !c->failed; left--) nft_add_element(&elements, take(c, 4), 4, NULL);
    nft_end_elements(&elements);
}

static void match_peer(struct nft_batch *b, struct cursor *c, uint32_t field) {
    char name[16];
    unsigned kind = take8(c);
    if (kind == 0) return;
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, field, 4);
    if (kind == 1) {
        snprintf(name, sizeof name, "p%u", take16(c));
        return nft_lookup(b, name, -1);
    }
    const uint8_t *network = take(c, 4);
    unsigned prefix = take8(c), exceptions = take8(c);
    if (kind != 2 || prefix > 32) c->failed = 1;
    if (c->failed) return;
    nft_match_network(b, network, prefix, NFT_CMP_EQ);
    for (; exceptions > 0 && !c->failed; exceptions--) {
        network = take(c, 4);
        prefix = take8(c);
        if (prefix > 32) c->failed = 1;
        if (c->failed) return;
        nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, field, 4);
        nft_match_network(b, network, prefix, NFT_CMP_NEQ);
    }
}

static void match_ports(struct nft_batch *b, struct cursor *c) {
    unsigned protocol = take8(c);
    if (protocol == 0) return;
    const uint8_t *first = take(c, 2), *last = take(c, 2);
    nft_match_protocol(b, (uint8_t)protocol);
    if (memcmp(first, "\0\0", 2) == 0 && memcmp(last, "\377\377", 2) == 0) return;
    nft_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
    nft_compare(b, NFT_CMP_GTE, first, 2);
    nft_compare(b, NFT_CMP_LTE, last, 2);
}

static void build_chain(struct nft_batch *b, struct cursor *c, const char *name) {
    nft_chain(b, name, NULL, 0, 0);
    uint32_t field = take8(c) == 0 ? nft_source : nft_destination;
    for (unsigned left = take16(c); left > 0 && !c->failed; left--) {
        struct nft_rule rule = nft_begin_rule(b, name);
        match_peer(b, c, field);
        match_ports(b, c);
        nft_verdict(b, NFT_RETURN, NULL);
        nft_end_rule(b, rule);
    }
    nft_verdict_rule(b, name, NF_DROP);
}

static void build_map(struct nft_batch *b, struct cursor *c, const char *name, struct nft_elements *self) {
    nft_set(b, &(struct nft_set){.name = name, .flags = NFT_SET_MAP, .key_length = 4});
    struct cursor start = *c;
    unsigned count = take16(c);
    struct nft_elements elements = {.batch = b, .set = name};
    for (unsigned i = 0; i < count && !c->failed; i++) {
        char chain[16];
        const uint8_t *pod = take(c, 4);
        snprintf(chain, sizeof chain, "c%u", take16(c));
        nft_add_element(&elements, pod, 4, chain);
    }
    nft_end_elements(&elements);
    // A pod cannot be kept from itself. The same pod may be in both maps: an element that is there already is fine.
    take16(&start);
    for (unsigned i = 0; i < count && !c->failed; i++) {
        uint8_t pair[8];
        memcpy(pair, take(&start, 4), 4);
        memcpy(pair + 4, pair, 4);
        take16(&start);
        nft_add_element(self, pair, 8, NULL);
    }
    nft_end_elements(self);
    self->count = 0;
}

static void match_map(struct nft_batch *b, uint32_t field, const char *map) {
    struct nft_rule rule = nft_begin_rule(b, "judge");
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, field, 4);
    nft_lookup(b, map, NFT_REG_VERDICT);
    nft_end_rule(b, rule);
}

static void match_set(
    struct nft_batch *b, const char *chain, uint32_t field, uint32_t length, const char *set, int verdict, const char *target) {
    struct nft_rule rule = nft_begin_rule(b, chain);
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, field, length);
    nft_lookup(b, set, -1);
    nft_verdict(b, verdict, target);
    nft_end_rule(b, rule);
}

static void accept_from(struct nft_batch *b, const char *chain, const uint8_t *address) {
    struct nft_rule rule = nft_begin_rule(b, chain);
    nft_match_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, address, 4);
    nft_verdict(b, NF_ACCEPT, NULL);
    nft_end_rule(b, rule);
}

static void build_hooks(struct nft_batch *b, const uint8_t *node) {
    enum { established = 1 << 1, related = 1 << 2 };
    nft_chain(b, "judge", NULL, 0, 0);
    struct nft_rule rule = nft_begin_rule(b, "judge");
    nft_match_state(b, established | related);
    nft_verdict(b, NF_ACCEPT, NULL);
    nft_end_rule(b, rule);
    match_set(b, "judge", nft_source, 8, "self", NF_ACCEPT, NULL);
    match_map(b, nft_source, "egress");
    match_map(b, nft_destination, "ingress");
    nft_chain(b, "forward", "filter", NF_INET_FORWARD, 10);
    accept_from(b, "forward", node);
    nft_jump_rule(b, "forward", "judge");
    nft_chain(b, "input", "filter", NF_INET_LOCAL_IN, 10);
    accept_from(b, "input", node);
    match_set(b, "input", nft_destination, 4, "locals", NFT_JUMP, "judge");
    nft_chain(b, "output", "filter", NF_INET_LOCAL_OUT, 10);
    match_set(b, "output", nft_source, 4, "locals", NFT_JUMP, "judge");
    if (!nft_has_way_out()) return;
    // What leaves the cluster is judged before it is diverted, by where it wants to go.
    nft_chain(b, "leaving", "filter", NF_INET_PRE_ROUTING, -150);
    struct nft_rule leaving = nft_begin_rule(b, "leaving");
    nft_match_leaving(b);
    nft_verdict(b, NFT_JUMP, "judge");
    nft_end_rule(b, leaving);
}

/// Everything in the table; 0 if what it is made from is malformed.
static int build(struct nft_batch *b, const uint8_t *bytes, size_t length) {
    struct cursor c = {bytes, bytes + length, 0};
    char name[16];
    if (memcmp(take(&c, 4), "VPT1", 4) != 0) return 0;
    const uint8_t *node = take(&c, 4);
    nft_table(b, NFT_MSG_NEWTABLE, b->table, 0);
    nft_table(b, NFT_MSG_DELTABLE, b->table, 0);
    nft_table(b, NFT_MSG_NEWTABLE, b->table, 0);
    build_set(b, &c, "locals");
    unsigned sets = take16(&c);
    for (unsigned i = 0; i < sets && !c.failed; i++) {
        snprintf(name, sizeof name, "p%u", i);
        build_set(b, &c, name);
    }
    unsigned chains = take16(&c);
    for (unsigned i = 0; i < chains && !c.failed; i++) {
        snprintf(name, sizeof name, "c%u", i);
        build_chain(b, &c, name);
    }
    nft_set(b, &(struct nft_set){.name = "self", .key_length = 8});
    struct nft_elements self = {.batch = b, .set = "self"};
    build_map(b, &c, "ingress", &self);
    build_map(b, &c, "egress", &self);
    build_hooks(b, node);
    return !c.failed && c.at == c.end;
}

int vs_nft_apply_policy(const uint8_t *table, size_t length, char *error, size_t capacity) {
    static const char *current;
    size_t limit;
    int fd = nft_socket(&limit);
    if (fd < 0) return nft_fail(fd, error, capacity, "no netfilter socket: %s", strerror(-fd));
    struct nft_batch b = {.table = current && strcmp(current, "velocity-policy-0") == 0 ? "velocity-policy-1" : "velocity-policy-0"};
    if (!build(&b, table, length)) {
        free(b.bytes);
        return nft_fail(-EINVAL, error, capacity, "the policy table is malformed");
    }
    int result = b.failed ? -ENOMEM : nft_install(fd, &b, current, limit);
    free(b.bytes);
    if (result < 0) return nft_fail(result, error, capacity, "nf_tables refused the network policies: %s", strerror(-result));
    current = b.table;
    return 0;
}
