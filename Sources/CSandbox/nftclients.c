// Clients that stay with their pod: a chain and a map for each service that wants it. See nftservices.c.
#define _GNU_SOURCE
#include "nftservices.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

static void name(char name[service_name_max], char kind, const struct service *service) {
    const uint8_t *a = service->address, *p = service->port, *s = service->source;
    snprintf(
        name, service_name_max, "%c%02x%02x%02x%02x-%u-%u-%02x%02x%02x", kind, a[0], a[1], a[2], a[3], p[0] << 8 | p[1],
        service->protocol, s[0], s[1], s[2]);
}

void name_map(char map[service_name_max], const struct service *service) { name(map, 'a', service); }

void name_chain(char chain[service_name_max], const struct service *service) { name(chain, 'c', service); }

static int is_backend(const struct service *service, const uint8_t *socket) {
    for (unsigned i = 0; i < service->count; i++)
        if (memcmp(backend(service, i), socket, backend_length) == 0) return 1;
    return 0;
}

static void keep_client(struct nft_batch *b, const char *map, const uint8_t *client, const uint8_t *socket, uint64_t left) {
    size_t list = nft_begin_elements(b, NFT_MSG_NEWSETELEM, map);
    size_t element = nft_open_nest(b, NFTA_LIST_ELEM), key = nft_open_nest(b, NFTA_SET_ELEM_KEY);
    nft_attribute(b, NFTA_DATA_VALUE, client, 4);
    nft_close_nest(b, key);
    size_t data = nft_open_nest(b, NFTA_SET_ELEM_DATA);
    nft_attribute(b, NFTA_DATA_VALUE, socket, 8);
    nft_close_nest(b, data);
    nft_number64(b, NFTA_SET_ELEM_EXPIRATION, left);
    nft_close_nest(b, element);
    nft_close_nest(b, list);
    nft_end(b);
}

struct keeping {
    struct nft_batch *batch;
    const char *map;
    const struct service *service;
};

/// Takes over what one element of an old map says, if its pod is still there.
static void keep_element(const struct nlattr *element, const struct keeping *keeping) {
    const uint8_t *parts = (const uint8_t *)(element + 1);
    size_t length = element->nla_len - sizeof *element;
    const struct nlattr *key = nft_find(parts, length, NFTA_SET_ELEM_KEY);
    const struct nlattr *data = nft_find(parts, length, NFTA_SET_ELEM_DATA);
    const struct nlattr *expiration = nft_find(parts, length, NFTA_SET_ELEM_EXPIRATION);
    enum { header = sizeof(struct nlattr) };
    // Each value is an attribute within the attribute.
    if (!key || key->nla_len < 2 * header + 4 || !data || data->nla_len < 2 * header + 8) return;
    if (!expiration || expiration->nla_len < header + 8) return;
    uint64_t left, longest = (uint64_t)keeping->service->affinity_seconds * 1000;
    memcpy(&left, expiration + 1, sizeof left);
    left = be64toh(left);
    const uint8_t *socket = (const uint8_t *)(data + 2);
    if (left == 0 || !is_backend(keeping->service, socket)) return;
    keep_client(keeping->batch, keeping->map, (const uint8_t *)(key + 2), socket, left < longest ? left : longest);
}

static void keep_elements(const void *attributes, size_t length, void *context) {
    const struct nlattr *list = nft_find(attributes, length, NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const struct nlattr *element = NULL; list && (element = nft_next(list, element));) keep_element(element, context);
}

void add_memory(struct nft_batch *b, const struct service *service, int fd, const char *current) {
    char map[service_name_max], chain[service_name_max];
    name_map(map, service);
    name_chain(chain, service);
    nft_set(b, &(struct nft_set){map, NFT_SET_MAP | NFT_SET_TIMEOUT | NFT_SET_EVAL, 4, 8, (uint64_t)service->affinity_seconds * 1000});
    nft_chain(b, chain, NULL, 0, 0);
    struct nft_rule rule = nft_begin_rule(b, chain);
    nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_source, 4);
    nft_lookup(b, map, NFT_REG_2);
    nft_remember(b, map);
    nft_nat(b, NFT_NAT_DNAT, NFT_REG32_04, NFT_REG32_05);
    nft_end_rule(b, rule);
    forward(b, chain, is_near(service), service->count, map);
    if (current) nft_dump(fd, NFT_MSG_GETSETELEM, current, map, keep_elements, &(struct keeping){b, map, service});
}

void remove_memory(struct nft_batch *b, const struct service *service) {
    char map[service_name_max], chain[service_name_max];
    name_map(map, service);
    name_chain(chain, service);
    nft_remove_chain(b, chain);
    nft_remove_set(b, map);
}
