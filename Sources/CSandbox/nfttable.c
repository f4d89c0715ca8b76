// The rule table of services, read and compared. See nft.h for its format.
#define _GNU_SOURCE
#include "nftservices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 12, RULE = 17 };

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t read32(const uint8_t *at) { return (uint32_t)read16(at) << 16 | read16(at + 2); }

/// Reads the rule at `*offset` and steps over it; false if it does not fit into the table.
static bool next_service(const uint8_t *rules, size_t length, size_t *offset, struct service *service) {
    if (length - *offset < RULE) return false;
    const uint8_t *at = rules + *offset;
    *service = (struct service){at, at + 4, at + 11, at + RULE, at[6], read32(at + 7), read16(at + 15)};
    if (length - *offset - RULE < (size_t)service->count * backend_length) return false;
    *offset += RULE + (size_t)service->count * backend_length;
    return (service->protocol == IPPROTO_TCP || service->protocol == IPPROTO_UDP) && !(is_fork(service) && service->count > 0);
}

void write_key(uint8_t key[backend_key_length], const struct service *service, uint32_t number) {
    memset(key, 0, backend_key_length);
    memcpy(key, service->address, 4);
    key[4] = service->protocol;
    memcpy(key + 8, service->port, 2);
    if (is_near(service)) memcpy(key + 12, service->source, 4);
    memcpy(key + 16, &number, 4);  // In the machine's own byte order, as the kernel makes random numbers.
}

static int compare_keys(const void *left, const void *right) {
    uint8_t keys[2][backend_key_length];
    write_key(keys[0], left, 0);
    write_key(keys[1], right, 0);
    return memcmp(keys[0], keys[1], key_length);
}

static int compare_addresses(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static bool read_all(struct services *services, size_t length) {
    size_t offset = HEADER;
    for (unsigned i = 0; i < services->count; i++) {
        if (!next_service(services->bytes, length, &offset, services->list + i)) return false;
    }
    if (offset != length) return false;
    qsort(services->list, services->count, sizeof *services->list, compare_keys);
    for (unsigned i = 0; i < services->count; i++) {
        const struct service *service = services->list + i;
        if (i > 0 && compare_keys(service - 1, service) == 0) return false;
        if (service->count > 0 && service->affinity_seconds == 0) {
            services->sizes[is_near(service)][service->count / 8] |= 1 << service->count % 8;
        }
        for (unsigned j = 0; j < service->count; j++) services->addresses[services->address_count++] = read32(backend(service, j));
    }
    qsort(services->addresses, services->address_count, sizeof *services->addresses, compare_addresses);
    unsigned kept = 0;
    for (unsigned i = 0; i < services->address_count; i++) {
        if (kept == 0 || services->addresses[kept - 1] != services->addresses[i]) services->addresses[kept++] = services->addresses[i];
    }
    services->address_count = kept;
    return true;
}

int services_read(struct services *services, const uint8_t *rules, size_t length) {
    *services = (struct services){0};
    if (length < HEADER || memcmp(rules, "VSR3", 4) != 0) return -EINVAL;
    services->count = read16(rules + 10);
    services->bytes = malloc(length);
    services->list = calloc(services->count + 1, sizeof *services->list);
    // There cannot be more of them than fit into the table.
    services->addresses = calloc(length / backend_length + 1, sizeof *services->addresses);
    int outcome = services->bytes && services->list && services->addresses ? 0 : -ENOMEM;
    if (outcome == 0) {
        memcpy(services->bytes, rules, length);
        if (!read_all(services, length)) outcome = -EINVAL;
    }
    if (outcome < 0) services_free(services);
    return outcome;
}

void services_free(struct services *services) {
    free(services->bytes);
    free(services->list);
    free(services->addresses);
    *services = (struct services){0};
}

static bool is_same(const struct service *left, const struct service *right) {
    return left->count == right->count && left->affinity_seconds == right->affinity_seconds && is_fork(left) == is_fork(right)
        && memcmp(left->backends, right->backends, (size_t)left->count * backend_length) == 0;
}

unsigned services_compare(const struct services *before, const struct services *after, struct difference *differences) {
    unsigned count = 0, i = 0, j = 0;
    while (i < before->count || j < after->count) {
        int order = i == before->count ? 1 : j == after->count ? -1 : compare_keys(before->list + i, after->list + j);
        struct difference difference = {order <= 0 ? before->list + i : NULL, order >= 0 ? after->list + j : NULL};
        i += order <= 0;
        j += order >= 0;
        if (order != 0 || !is_same(difference.before, difference.after)) differences[count++] = difference;
    }
    return count;
}
