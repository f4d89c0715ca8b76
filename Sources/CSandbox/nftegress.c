// The way out of the cluster, where there is one, as nf_tables. See nft.h for what it is told. What is installed:
//
//     table ip velocity-egress {
//       chain prerouting { type nat hook prerouting priority -99;      after the services
//                          ip daddr != 10.244.0.0/16 ip daddr != … meta l4proto tcp dnat to GATEWAY:PORT }
//     }
//
// At GATEWAY:PORT the host process listens. Where a connection wanted to go it learns from SO_ORIGINAL_DST.
#define _GNU_SOURCE
#include "include/nft.h"
#include "nftbatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 11, NETWORK = 5, networks_max = 16 };

/// The networks of the cluster, as the table has them; one thread of one namespace calls this.
static uint8_t networks[networks_max * NETWORK];
static unsigned network_count;

int nft_has_way_out(void) { return network_count > 0; }

void nft_match_leaving(struct nft_batch *b) {
    for (unsigned i = 0; i < network_count; i++) {
        nft_payload(b, NFT_PAYLOAD_NETWORK_HEADER, nft_destination, 4);
        nft_match_network(b, networks + i * NETWORK, networks[i * NETWORK + 4], NFT_CMP_NEQ);
    }
}

int vs_nft_divert(const uint8_t *table, size_t length, char *error, size_t capacity) {
    size_t limit;
    if (length < HEADER || memcmp(table, "VEG1", 4) != 0 || table[10] == 0 || table[10] > networks_max
        || length != HEADER + (size_t)table[10] * NETWORK) {
        return nft_fail(-EINVAL, error, capacity, "the egress table is malformed");
    }
    for (unsigned i = 0; i < table[10]; i++) {
        if (table[HEADER + i * NETWORK + 4] > 32) return nft_fail(-EINVAL, error, capacity, "the egress table is malformed");
    }
    int fd = nft_socket(&limit);
    if (fd < 0) return nft_fail(fd, error, capacity, "no netfilter socket: %s", strerror(-fd));
    network_count = table[10];
    memcpy(networks, table + HEADER, (size_t)network_count * NETWORK);
    struct nft_batch b = {.table = "velocity-egress"};
    nft_table(&b, NFT_MSG_NEWTABLE, b.table, 0);
    nft_table(&b, NFT_MSG_DELTABLE, b.table, 0);
    nft_table(&b, NFT_MSG_NEWTABLE, b.table, 0);
    nft_chain(&b, "prerouting", "nat", NF_INET_PRE_ROUTING, -99);
    struct nft_rule rule = nft_begin_rule(&b, "prerouting");
    nft_match_leaving(&b);
    nft_match_protocol(&b, IPPROTO_TCP);
    nft_translate(&b, NFT_NAT_DNAT, table + 4, table + 8);
    nft_end_rule(&b, rule);
    int result = b.failed ? -ENOMEM : nft_transact(fd, &b, 0, b.length);
    free(b.bytes);
    if (result < 0) return nft_fail(result, error, capacity, "nf_tables refused the way out: %s", strerror(-result));
    return 0;
}
