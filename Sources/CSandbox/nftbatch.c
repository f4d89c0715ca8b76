// Messages to nf_tables, and sending them. See nftbatch.h.
#define _GNU_SOURCE
#include "nftbatch.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void put(struct nft_batch *b, const void *bytes, size_t length) {
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

void nft_attribute(struct nft_batch *b, uint16_t type, const void *bytes, size_t length) {
    struct nlattr header = {.nla_len = (uint16_t)(sizeof header + length), .nla_type = type};
    put(b, &header, sizeof header);
    put(b, bytes, length);
}

void nft_text(struct nft_batch *b, uint16_t type, const char *string) { nft_attribute(b, type, string, strlen(string) + 1); }

void nft_number(struct nft_batch *b, uint16_t type, uint32_t value) {
    uint32_t big = htonl(value);
    nft_attribute(b, type, &big, sizeof big);
}

void nft_number64(struct nft_batch *b, uint16_t type, uint64_t value) {
    uint64_t big = htobe64(value);
    nft_attribute(b, type, &big, sizeof big);
}

size_t nft_open_nest(struct nft_batch *b, uint16_t type) {
    size_t at = b->length;
    nft_attribute(b, type | NLA_F_NESTED, NULL, 0);
    return at;
}

void nft_close_nest(struct nft_batch *b, size_t at) {
    if (b->failed) return;
    ((struct nlattr *)(b->bytes + at))->nla_len = (uint16_t)(b->length - at);
}

static void begin(struct nft_batch *b, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
    struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = ++b->sequence};
    struct nfgenmsg body = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
    b->message = b->length;
    put(b, &header, sizeof header);
    put(b, &body, sizeof body);
}

void nft_message(struct nft_batch *b, uint16_t type, uint16_t flags) {
    begin(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_IPV4, 0);
}

void nft_end(struct nft_batch *b) {
    if (b->failed) return;
    ((struct nlmsghdr *)(b->bytes + b->message))->nlmsg_len = (uint32_t)(b->length - b->message);
}

// Tables, chains and sets

void nft_table(struct nft_batch *b, uint16_t type, const char *name, uint32_t flags) {
    nft_message(b, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    nft_text(b, NFTA_TABLE_NAME, name);
    if (type == NFT_MSG_NEWTABLE) {
        nft_number(b, NFTA_TABLE_FLAGS, flags);
        b->flags = b->length - sizeof(uint32_t);
    }
    nft_end(b);
}

void nft_chain(struct nft_batch *b, const char *name, const char *type, uint32_t hook, int32_t priority) {
    nft_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    nft_text(b, NFTA_CHAIN_TABLE, b->table);
    nft_text(b, NFTA_CHAIN_NAME, name);
    if (type) {
        size_t nest = nft_open_nest(b, NFTA_CHAIN_HOOK);
        nft_number(b, NFTA_HOOK_HOOKNUM, hook);
        nft_number(b, NFTA_HOOK_PRIORITY, (uint32_t)priority);
        nft_close_nest(b, nest);
        nft_text(b, NFTA_CHAIN_TYPE, type);
    }
    nft_end(b);
}

void nft_set(struct nft_batch *b, const struct nft_set *set) {
    static uint32_t id;
    nft_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
    nft_text(b, NFTA_SET_TABLE, b->table);
    nft_text(b, NFTA_SET_NAME, set->name);
    nft_number(b, NFTA_SET_FLAGS, set->flags);
    // Types of keys and values only mean something to programs that print them; an address is 7.
    nft_number(b, NFTA_SET_KEY_TYPE, set->key_length == 4 ? 7 : 0);
    nft_number(b, NFTA_SET_KEY_LEN, set->key_length);
    if (set->flags & NFT_SET_MAP) {
        nft_number(b, NFTA_SET_DATA_TYPE, set->data_length ? (7 << 6 | 13) : NFT_DATA_VERDICT);
        if (set->data_length) nft_number(b, NFTA_SET_DATA_LEN, set->data_length);
    }
    nft_number(b, NFTA_SET_ID, ++id);
    if (set->timeout_milliseconds) nft_number64(b, NFTA_SET_TIMEOUT, set->timeout_milliseconds);
    if (set->flags & NFT_SET_EVAL) {
        // Packets add elements: there must be an end to it.
        size_t nest = nft_open_nest(b, NFTA_SET_DESC);
        nft_number(b, NFTA_SET_DESC_SIZE, 65535);
        nft_close_nest(b, nest);
    }
    nft_end(b);
}

void nft_remove_chain(struct nft_batch *b, const char *name) {
    nft_message(b, NFT_MSG_DELCHAIN, 0);
    nft_text(b, NFTA_CHAIN_TABLE, b->table);
    nft_text(b, NFTA_CHAIN_NAME, name);
    nft_end(b);
}

void nft_remove_set(struct nft_batch *b, const char *name) {
    nft_message(b, NFT_MSG_DELSET, 0);
    nft_text(b, NFTA_SET_TABLE, b->table);
    nft_text(b, NFTA_SET_NAME, name);
    nft_end(b);
}

size_t nft_begin_elements(struct nft_batch *b, uint16_t type, const char *set) {
    nft_message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
    nft_text(b, NFTA_SET_ELEM_LIST_TABLE, b->table);
    nft_text(b, NFTA_SET_ELEM_LIST_SET, set);
    return nft_open_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
}

/// Starts an element with its key; to be closed by `nft_close_nest`.
static size_t begin_element(struct nft_elements *e, const void *key, size_t length) {
    struct nft_batch *b = e->batch;
    // The length of a list of elements is a number of 16 bits.
    if (e->count % 500 == 0) {
        nft_end_elements(e);
        e->list = nft_begin_elements(b, e->are_gone ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, e->set);
    }
    e->count++;
    size_t element = nft_open_nest(b, NFTA_LIST_ELEM), nest = nft_open_nest(b, NFTA_SET_ELEM_KEY);
    nft_attribute(b, NFTA_DATA_VALUE, key, length);
    nft_close_nest(b, nest);
    return element;
}

void nft_add_element(struct nft_elements *e, const void *key, size_t length, const char *chain) {
    struct nft_batch *b = e->batch;
    size_t element = begin_element(e, key, length);
    if (chain && !e->are_gone) {
        size_t nest = nft_open_nest(b, NFTA_SET_ELEM_DATA), verdict = nft_open_nest(b, NFTA_DATA_VERDICT);
        nft_number(b, NFTA_VERDICT_CODE, (uint32_t)NFT_JUMP);
        nft_text(b, NFTA_VERDICT_CHAIN, chain);
        nft_close_nest(b, verdict);
        nft_close_nest(b, nest);
    }
    nft_close_nest(b, element);
}

void nft_add_socket(struct nft_elements *e, const void *key, size_t length, const uint8_t *socket) {
    struct nft_batch *b = e->batch;
    size_t element = begin_element(e, key, length);
    if (!e->are_gone) {
        uint8_t value[8] = {0};
        memcpy(value, socket, 6);
        size_t nest = nft_open_nest(b, NFTA_SET_ELEM_DATA);
        nft_attribute(b, NFTA_DATA_VALUE, value, sizeof value);
        nft_close_nest(b, nest);
    }
    nft_close_nest(b, element);
}

void nft_end_elements(struct nft_elements *e) {
    if (e->count == 0) return;
    nft_close_nest(e->batch, e->list);
    nft_end(e->batch);
}

// Talking to the kernel

int nft_transact(int fd, struct nft_batch *b, size_t from, size_t to) {
    struct nft_batch frame = {0};
    begin(&frame, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
    nft_end(&frame);
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
    nft_end(&frame);
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

int nft_install(int fd, struct nft_batch *b, const char *old, size_t limit) {
    size_t start = 0, at = 0;
    if (b->length + 256 > limit) {
        uint32_t dormant = htonl(NFT_TABLE_F_DORMANT);
        memcpy(b->bytes + b->flags, &dormant, sizeof dormant);
        while (at < b->length) {
            size_t size = ((struct nlmsghdr *)(b->bytes + at))->nlmsg_len;
            if (at + size - start + 256 > limit) {
                int result = nft_transact(fd, b, start, at);
                if (result < 0) return result;
                start = at;
            }
            at += size;
        }
        int result = nft_transact(fd, b, start, b->length);
        if (result < 0) return result;
        start = b->length;
        nft_table(b, NFT_MSG_NEWTABLE, b->table, 0);
    }
    if (old) {
        nft_table(b, NFT_MSG_NEWTABLE, old, 0);
        nft_table(b, NFT_MSG_DELTABLE, old, 0);
    }
    return b->failed ? -ENOMEM : nft_transact(fd, b, start, b->length);
}

int nft_socket(size_t *limit) {
    static int fd = -1;
    static size_t known;
    if (fd < 0) {
        int size = 1 << 20;
        socklen_t length = sizeof size;
        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
        if (fd < 0) return -errno;
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0 || size < 16384) size = 16384;
        known = (size_t)size - 4096;
    }
    *limit = known;
    return fd;
}

void nft_dump(
    int fd, uint16_t type, const char *table, const char *set, void (*each)(const void *attributes, size_t length, void *context),
    void *context) {
    struct nft_batch request = {0};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    nft_message(&request, type, NLM_F_DUMP);
    // The name of the table is the first attribute of whatever is in one.
    nft_text(&request, NFTA_SET_ELEM_LIST_TABLE, table);
    if (set) nft_text(&request, NFTA_SET_ELEM_LIST_SET, set);
    nft_end(&request);
    ssize_t sent = request.failed ? -1 : sendto(fd, request.bytes, request.length, 0, (struct sockaddr *)&kernel, sizeof kernel);
    free(request.bytes);
    if (sent >= 0) nft_hear(fd, each, context);
}

void nft_hear(int fd, void (*each)(const void *attributes, size_t length, void *context), void *context) {
    static uint8_t answer[64 * 1024] __attribute__((aligned(8)));
    for (;;) {
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return;
        size_t rest = (size_t)length, header = NLMSG_LENGTH(sizeof(struct nfgenmsg));
        for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, rest); m = NLMSG_NEXT(m, rest)) {
            // There is no such thing, or this is the end of it.
            if (m->nlmsg_type == NLMSG_ERROR || m->nlmsg_type == NLMSG_DONE) return;
            if (m->nlmsg_len >= header) each((const uint8_t *)m + header, m->nlmsg_len - header, context);
        }
    }
}

const struct nlattr *nft_find(const void *attributes, size_t length, uint16_t type) {
    size_t at = 0;
    while (length - at >= sizeof(struct nlattr)) {
        const struct nlattr *attribute = (const struct nlattr *)((const uint8_t *)attributes + at);
        if (attribute->nla_len < sizeof *attribute || attribute->nla_len > length - at) return NULL;
        if ((attribute->nla_type & NLA_TYPE_MASK) == type) return attribute;
        at += NLA_ALIGN(attribute->nla_len);
        if (at > length) return NULL;
    }
    return NULL;
}

const struct nlattr *nft_next(const struct nlattr *list, const struct nlattr *before) {
    const uint8_t *end = (const uint8_t *)list + list->nla_len;
    const uint8_t *at = before ? (const uint8_t *)before + NLA_ALIGN(before->nla_len) : (const uint8_t *)(list + 1);
    const struct nlattr *next = (const struct nlattr *)at;
    if (at >= end || (size_t)(end - at) < sizeof *next) return NULL;
    return next->nla_len < sizeof *next || next->nla_len > (size_t)(end - at) ? NULL : next;
}

int nft_fail(int code, char *error, size_t capacity, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (capacity > 0) vsnprintf(error, capacity, format, arguments);
    va_end(arguments);
    return code;
}
