// Rules of nf_tables and the expressions in them. See nftbatch.h.
#define _GNU_SOURCE
#include "nftbatch.h"

#include <arpa/inet.h>
#include <string.h>

struct nft_rule nft_begin_rule(struct nft_batch *b, const char *chain) {
    nft_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    nft_text(b, NFTA_RULE_TABLE, b->table);
    nft_text(b, NFTA_RULE_CHAIN, chain);
    return (struct nft_rule){nft_open_nest(b, NFTA_RULE_EXPRESSIONS)};
}

void nft_end_rule(struct nft_batch *b, struct nft_rule rule) {
    nft_close_nest(b, rule.expressions);
    nft_end(b);
}

struct expression {
    size_t element, data;
};

static struct expression begin(struct nft_batch *b, const char *name) {
    struct expression e = {.element = nft_open_nest(b, NFTA_LIST_ELEM)};
    nft_text(b, NFTA_EXPR_NAME, name);
    e.data = nft_open_nest(b, NFTA_EXPR_DATA);
    return e;
}

static void end(struct nft_batch *b, struct expression e) {
    nft_close_nest(b, e.data);
    nft_close_nest(b, e.element);
}

void nft_compare(struct nft_batch *b, uint32_t operation, const void *value, size_t length) {
    struct expression e = begin(b, "cmp");
    nft_number(b, NFTA_CMP_SREG, NFT_REG_1);
    nft_number(b, NFTA_CMP_OP, operation);
    size_t data = nft_open_nest(b, NFTA_CMP_DATA);
    nft_attribute(b, NFTA_DATA_VALUE, value, length);
    nft_close_nest(b, data);
    end(b, e);
}

void nft_payload_into(struct nft_batch *b, uint32_t destination, uint32_t base, uint32_t offset, uint32_t length) {
    struct expression e = begin(b, "payload");
    nft_number(b, NFTA_PAYLOAD_DREG, destination);
    nft_number(b, NFTA_PAYLOAD_BASE, base);
    nft_number(b, NFTA_PAYLOAD_OFFSET, offset);
    nft_number(b, NFTA_PAYLOAD_LEN, length);
    end(b, e);
}

void nft_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t length) {
    nft_payload_into(b, NFT_REG_1, base, offset, length);
}

void nft_match_payload(struct nft_batch *b, uint32_t base, uint32_t offset, const void *value, uint32_t length) {
    nft_payload(b, base, offset, length);
    nft_compare(b, NFT_CMP_EQ, value, length);
}

void nft_protocol_into(struct nft_batch *b, uint32_t destination) {
    struct expression e = begin(b, "meta");
    nft_number(b, NFTA_META_DREG, destination);
    nft_number(b, NFTA_META_KEY, NFT_META_L4PROTO);
    end(b, e);
}

void nft_match_protocol(struct nft_batch *b, uint8_t protocol) {
    nft_protocol_into(b, NFT_REG_1);
    nft_compare(b, NFT_CMP_EQ, &protocol, sizeof protocol);
}

void nft_match_exit(struct nft_batch *b, uint32_t interface) {
    struct expression e = begin(b, "meta");
    nft_number(b, NFTA_META_DREG, NFT_REG_1);
    nft_number(b, NFTA_META_KEY, NFT_META_OIF);
    end(b, e);
    nft_compare(b, NFT_CMP_EQ, &interface, sizeof interface);
}

void nft_mask(struct nft_batch *b, const void *mask, uint32_t length) {
    static const uint8_t zeros[16];
    struct expression e = begin(b, "bitwise");
    nft_number(b, NFTA_BITWISE_SREG, NFT_REG_1);
    nft_number(b, NFTA_BITWISE_DREG, NFT_REG_1);
    nft_number(b, NFTA_BITWISE_LEN, length);
    size_t data = nft_open_nest(b, NFTA_BITWISE_MASK);
    nft_attribute(b, NFTA_DATA_VALUE, mask, length);
    nft_close_nest(b, data);
    data = nft_open_nest(b, NFTA_BITWISE_XOR);
    nft_attribute(b, NFTA_DATA_VALUE, zeros, length);
    nft_close_nest(b, data);
    end(b, e);
}

void nft_match_state(struct nft_batch *b, uint32_t states) {
    uint32_t none = 0;
    struct expression e = begin(b, "ct");
    nft_number(b, NFTA_CT_DREG, NFT_REG_1);
    nft_number(b, NFTA_CT_KEY, NFT_CT_STATE);
    end(b, e);
    nft_mask(b, &states, sizeof states);  // In the machine's own byte order, as the kernel keeps it.
    nft_compare(b, NFT_CMP_NEQ, &none, sizeof none);
}

void nft_random_into(struct nft_batch *b, uint32_t destination, uint32_t count) {
    struct expression e = begin(b, "numgen");
    nft_number(b, NFTA_NG_DREG, destination);
    nft_number(b, NFTA_NG_MODULUS, count);
    nft_number(b, NFTA_NG_TYPE, NFT_NG_RANDOM);
    nft_number(b, NFTA_NG_OFFSET, 0);
    end(b, e);
}

void nft_load(struct nft_batch *b, uint32_t destination, const void *value, size_t length) {
    struct expression e = begin(b, "immediate");
    nft_number(b, NFTA_IMMEDIATE_DREG, destination);
    size_t data = nft_open_nest(b, NFTA_IMMEDIATE_DATA);
    nft_attribute(b, NFTA_DATA_VALUE, value, length);
    nft_close_nest(b, data);
    end(b, e);
}

void nft_lookup(struct nft_batch *b, const char *set, int destination) {
    struct expression e = begin(b, "lookup");
    nft_text(b, NFTA_LOOKUP_SET, set);
    nft_number(b, NFTA_LOOKUP_SREG, NFT_REG_1);
    if (destination >= 0) nft_number(b, NFTA_LOOKUP_DREG, (uint32_t)destination);
    end(b, e);
}

void nft_remember(struct nft_batch *b, const char *map) {
    struct expression e = begin(b, "dynset");
    nft_text(b, NFTA_DYNSET_SET_NAME, map);
    nft_number(b, NFTA_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    nft_number(b, NFTA_DYNSET_SREG_KEY, NFT_REG_1);
    nft_number(b, NFTA_DYNSET_SREG_DATA, NFT_REG_2);
    end(b, e);
}

void nft_nat(struct nft_batch *b, uint32_t type, uint32_t address, uint32_t port) {
    struct expression e = begin(b, "nat");
    nft_number(b, NFTA_NAT_TYPE, type);
    nft_number(b, NFTA_NAT_FAMILY, NFPROTO_IPV4);
    nft_number(b, NFTA_NAT_REG_ADDR_MIN, address);
    if (port) nft_number(b, NFTA_NAT_REG_PROTO_MIN, port);
    end(b, e);
}

void nft_translate(struct nft_batch *b, uint32_t type, const uint8_t *address, const uint8_t *port) {
    nft_load(b, NFT_REG_1, address, 4);
    if (port) nft_load(b, NFT_REG_2, port, 2);
    nft_nat(b, type, NFT_REG_1, port ? NFT_REG_2 : 0);
}

void nft_verdict(struct nft_batch *b, int verdict, const char *chain) {
    struct expression e = begin(b, "immediate");
    nft_number(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    size_t data = nft_open_nest(b, NFTA_IMMEDIATE_DATA), nest = nft_open_nest(b, NFTA_DATA_VERDICT);
    nft_number(b, NFTA_VERDICT_CODE, (uint32_t)verdict);
    if (chain) nft_text(b, NFTA_VERDICT_CHAIN, chain);
    nft_close_nest(b, nest);
    nft_close_nest(b, data);
    end(b, e);
}

void nft_reset(struct nft_batch *b) {
    struct expression e = begin(b, "reject");
    nft_number(b, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
    end(b, e);
}

void nft_reject(struct nft_batch *b, uint8_t code) {
    struct expression e = begin(b, "reject");
    nft_number(b, NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
    nft_attribute(b, NFTA_REJECT_ICMP_CODE, &code, 1);
    end(b, e);
}

void nft_jump_rule(struct nft_batch *b, const char *from, const char *to) {
    struct nft_rule rule = nft_begin_rule(b, from);
    nft_verdict(b, NFT_JUMP, to);
    nft_end_rule(b, rule);
}

void nft_verdict_rule(struct nft_batch *b, const char *chain, int verdict) {
    struct nft_rule rule = nft_begin_rule(b, chain);
    nft_verdict(b, verdict, NULL);
    nft_end_rule(b, rule);
}

void nft_match_network(struct nft_batch *b, const uint8_t *network, unsigned prefix, uint32_t operation) {
    uint32_t mask = prefix == 0 ? 0 : htonl(~(uint32_t)0 << (32 - prefix)), masked;
    memcpy(&masked, network, 4);
    masked &= mask;
    nft_mask(b, &mask, 4);
    nft_compare(b, operation, &masked, 4);
}
