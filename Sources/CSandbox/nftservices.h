// What the parts that write the rules of services share.
#pragma once

#include "nftbatch.h"

#include <stdbool.h>
#include <string.h>

// nfttable.c: the rule table (nft.h)

/// One rule of the table, as pointers into it (addresses and ports stay in network order).
struct service {
    const uint8_t *address, *port, *source, *backends;
    uint8_t protocol;
    uint32_t affinity_seconds;
    uint16_t count;
};

/// A whole table. One without bytes has no services.
struct services {
    uint8_t *bytes;
    /// Ordered by their keys.
    struct service *list;
    unsigned count;
    /// The addresses of all backends, in order and each once; in the machine's byte order.
    uint32_t *addresses;
    unsigned address_count;
    /// Bit n: there is a service of n backends whose clients go anywhere; the second for services that are for a network.
    uint8_t sizes[2][65536 / 8];
};

/// Nothing but a sign that there are services for networks at this place.
static inline bool is_fork(const struct service *service) { return memcmp(service->source, "\xFF\xFF\xFF\xFF", 4) == 0; }
/// For the packets of one network alone.
static inline bool is_near(const struct service *service) { return !is_fork(service) && memcmp(service->source, "\0\0\0\0", 4) != 0; }

/// Takes over a copy of the table. Returns 0, -EINVAL for a table that is malformed, or -ENOMEM.
int services_read(struct services *services, const uint8_t *rules, size_t length);
void services_free(struct services *services);

enum { backend_length = 6 };
static inline const uint8_t *backend(const struct service *service, unsigned number) {
    return service->backends + (size_t)number * backend_length;
}

/// A service that is not the same before and after; one of the two may be missing.
struct difference {
    const struct service *before, *after;
};
/// Fills in what differs, ordered by keys, with room for all services of both; returns how many those are.
unsigned services_compare(const struct services *before, const struct services *after, struct difference *differences);

/// The key of a service in maps and sets: address, protocol, port and source, each in a register of 4 bytes. The key of a backend has
/// its number behind that.
enum { key_length = 16, backend_key_length = 20 };
void write_key(uint8_t key[backend_key_length], const struct service *service, uint32_t number);

// nftclients.c: clients that stay with their pod

static inline bool remembers(const struct service *service) { return service->count > 0 && service->affinity_seconds > 0; }
enum { service_name_max = 32 };
/// The map of a service's clients, and the chain that looks into it.
void name_map(char name[service_name_max], const struct service *service);
void name_chain(char name[service_name_max], const struct service *service);
/// Makes both, with the clients that belong to one of its pods in the table in force already, unless that is NULL: a change
/// elsewhere must not send them to another.
void add_memory(struct nft_batch *b, const struct service *service, int fd, const char *current);
void remove_memory(struct nft_batch *b, const struct service *service);

// nftflows.c: datagrams whose pod is gone
/// Lets the next datagram of a flow go to another pod where the one that it went to is not among its service's any more.
void forget_flows(int fd, const struct services *before, const struct services *after);

// nftservices.c
/// Adds the rules that lead to one of `count` backends of services for networks, or of others; with a map, which one that is gets
/// remembered for the client.
void forward(struct nft_batch *b, const char *chain, bool is_near, unsigned count, const char *map);
