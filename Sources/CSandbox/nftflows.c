// Datagrams that go on to a pod which is not there any more. The kernel sends them where the first of them went for as long as more come,
// whatever the rules say; so what it remembers of them is taken away when a service over UDP loses a pod, as kube-proxy does.
#define _GNU_SOURCE
#include "nftservices.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct end {
    const uint8_t *address, *port;
};

/// Where packets of one direction come from and go to; false for what is not a UDP flow.
static bool read_direction(const struct nlattr *tuple, struct end *source, struct end *destination) {
    enum { header = sizeof(struct nlattr) };
    if (!tuple) return false;
    const struct nlattr *address = nft_find(tuple + 1, tuple->nla_len - header, CTA_TUPLE_IP);
    const struct nlattr *port = nft_find(tuple + 1, tuple->nla_len - header, CTA_TUPLE_PROTO);
    if (!address || !port) return false;
    const struct nlattr *parts[] = {
        nft_find(address + 1, address->nla_len - header, CTA_IP_V4_SRC), nft_find(address + 1, address->nla_len - header, CTA_IP_V4_DST),
        nft_find(port + 1, port->nla_len - header, CTA_PROTO_SRC_PORT), nft_find(port + 1, port->nla_len - header, CTA_PROTO_DST_PORT),
        nft_find(port + 1, port->nla_len - header, CTA_PROTO_NUM),
    };
    for (size_t index = 0; index < sizeof parts / sizeof *parts; index++) {
        if (!parts[index]) return false;
    }
    *source = (struct end){(const uint8_t *)(parts[0] + 1), (const uint8_t *)(parts[2] + 1)};
    *destination = (struct end){(const uint8_t *)(parts[1] + 1), (const uint8_t *)(parts[3] + 1)};
    return *(const uint8_t *)(parts[4] + 1) == IPPROTO_UDP;
}

/// The service at a place that is for what `client` sends, which is an address of it.
static const struct service *find(const struct services *services, struct end place, const uint8_t *client) {
    for (unsigned index = 0; index < services->count; index++) {
        const struct service *service = services->list + index;
        if (service->protocol == IPPROTO_UDP && memcmp(service->address, place.address, 4) == 0
            && memcmp(service->port, place.port, 2) == 0 && !is_fork(service)
            && (!is_near(service) || memcmp(service->source, client, 3) == 0)) {
            return service;
        }
    }
    return NULL;
}

static bool leads_to(const struct service *service, struct end place) {
    for (unsigned number = 0; service && number < service->count; number++) {
        if (memcmp(backend(service, number), place.address, 4) == 0 && memcmp(backend(service, number) + 4, place.port, 2) == 0) return true;
    }
    return false;
}

struct search {
    const struct services *before, *after;
    /// Requests that each take one flow away, back to back.
    uint8_t *bytes;
    size_t length;
};

static void look(const void *attributes, size_t length, void *context) {
    struct search *search = context;
    const struct nlattr *tuple = nft_find(attributes, length, CTA_TUPLE_ORIG);
    struct end client, service, pod, back;
    if (!read_direction(tuple, &client, &service)
        || !read_direction(nft_find(attributes, length, CTA_TUPLE_REPLY), &pod, &back)) {
        return;
    }
    if (!leads_to(find(search->before, service, client.address), pod)) return;
    if (leads_to(find(search->after, service, client.address), pod)) return;
    size_t size = NLMSG_ALIGN(NLMSG_LENGTH(sizeof(struct nfgenmsg)) + tuple->nla_len);
    uint8_t *grown = realloc(search->bytes, search->length + size);
    if (!grown) return;
    search->bytes = grown;
    struct nlmsghdr *message = (struct nlmsghdr *)(grown + search->length);
    memset(message, 0, size);
    message->nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(struct nfgenmsg)) + tuple->nla_len);
    message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    ((struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family = AF_INET;
    memcpy((uint8_t *)message + NLMSG_LENGTH(sizeof(struct nfgenmsg)), tuple, tuple->nla_len);
    search->length += size;
}

static bool loses_a_backend(const struct services *before, const struct services *after) {
    for (unsigned index = 0; index < before->count; index++) {
        const struct service *service = before->list + index;
        if (service->protocol != IPPROTO_UDP) continue;
        const struct service *now = find(after, (struct end){service->address, service->port}, service->source);
        for (unsigned number = 0; number < service->count; number++) {
            if (!leads_to(now, (struct end){backend(service, number), backend(service, number) + 4})) return true;
        }
    }
    return false;
}

void forget_flows(int fd, const struct services *before, const struct services *after) {
    if (!loses_a_backend(before, after)) return;
    struct {
        struct nlmsghdr head;
        struct nfgenmsg family;
    } request = {
        {sizeof request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_REQUEST | NLM_F_DUMP, 0, 0}, {AF_INET, NFNETLINK_V0, 0},
    };
    struct search search = {before, after, NULL, 0};
    if (send(fd, &request, sizeof request, 0) >= 0) nft_hear(fd, look, &search);
    // One that has ended meanwhile is as good.
    for (size_t at = 0; at < search.length;) {
        struct nlmsghdr *message = (struct nlmsghdr *)(search.bytes + at);
        if (send(fd, message, message->nlmsg_len, 0) >= 0) nft_hear(fd, NULL, NULL);
        at += NLMSG_ALIGN(message->nlmsg_len);
    }
    free(search.bytes);
}
