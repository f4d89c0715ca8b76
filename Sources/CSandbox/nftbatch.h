// Messages to nf_tables over raw nfnetlink: what `nftservices.c` and `nftpolicy.c` write their tables with.
//
// Only payload, cmp, meta, ct, numgen, immediate, lookup, bitwise, dynset, nat and verdicts are used (and reject, where the kernel has it):
// some WSL2 kernels lack fib, counters, masquerade and the bridge family.
#pragma once

#include <netinet/in.h>  // before <linux/…>, which defines the same names when it comes first

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/// Messages back to back; `failed` is set when memory ran out, and everything after that is a no-op.
struct nft_batch {
    uint8_t *bytes;
    size_t length, capacity;
    size_t message;  // offset of the message being written
    size_t flags;    // offset of the flags of the new table
    uint32_t sequence;
    const char *table;
    int failed;
};

// nftbatch.c: messages, tables, chains, sets
void nft_message(struct nft_batch *b, uint16_t type, uint16_t flags);
void nft_end(struct nft_batch *b);
void nft_attribute(struct nft_batch *b, uint16_t type, const void *bytes, size_t length);
void nft_text(struct nft_batch *b, uint16_t type, const char *string);
void nft_number(struct nft_batch *b, uint16_t type, uint32_t value);
void nft_number64(struct nft_batch *b, uint16_t type, uint64_t value);
size_t nft_open_nest(struct nft_batch *b, uint16_t type);
void nft_close_nest(struct nft_batch *b, size_t at);
void nft_table(struct nft_batch *b, uint16_t type, const char *name, uint32_t flags);
/// A chain; with a type it hangs on a hook, and packets start there.
void nft_chain(struct nft_batch *b, const char *name, const char *type, uint32_t hook, int32_t priority);
/// Takes away a chain with its rules, to which nothing leads any more.
void nft_remove_chain(struct nft_batch *b, const char *name);

/// What a set holds, as the kernel wants it.
struct nft_set {
    const char *name;
    uint32_t flags, key_length;
    /// Of a map: the bytes of its values, or 0 for verdicts.
    uint32_t data_length;
    /// How long elements live; 0 for ever.
    uint64_t timeout_milliseconds;
};
void nft_set(struct nft_batch *b, const struct nft_set *set);
/// Takes away a set that no rule looks into any more.
void nft_remove_set(struct nft_batch *b, const char *name);
/// Starts a message with elements of a set; to be ended by `nft_close_nest` and `nft_end`.
size_t nft_begin_elements(struct nft_batch *b, uint16_t type, const char *set);

/// Elements of one set, in as many messages as they need. One that is there already is fine, unless it leads elsewhere; one that is
/// taken out has to be there.
struct nft_elements {
    struct nft_batch *batch;
    const char *set;
    /// They are taken out of the set instead of put into it.
    int are_gone;
    size_t list;
    unsigned count;
};
/// Adds a key, and of a map of verdicts the chain that it leads to.
void nft_add_element(struct nft_elements *e, const void *key, size_t length, const char *chain);
/// Adds a key, and of a map the address and the port that it leads to.
void nft_add_socket(struct nft_elements *e, const void *key, size_t length, const uint8_t *socket);
/// To be called after the last one.
void nft_end_elements(struct nft_elements *e);

// nftbatch.c: talking to the kernel
/// The netlink socket, in the network namespace of the first call: closing one waits 7 to 20 ms for the kernel to free what was
/// replaced, installing rules takes 0.4 ms. Not thread-safe. `limit` is how much one message may hold.
int nft_socket(size_t *limit);
/// Sends messages `from` up to `to` of `b` as one transaction and returns 0 or the kernel's first complaint.
int nft_transact(int fd, struct nft_batch *b, size_t from, size_t to);
/// Sends the new table whole if it fits, else asleep and in parts; the last transaction also deletes the table `old`.
///
/// A netlink message cannot be larger than the socket's send buffer, which a rootless process cannot raise without limit.
/// Tables that do not fit are built asleep (dormant) in several batches under the other of two names; the last batch wakes
/// the new table and deletes the old one, so the change stays atomic.
int nft_install(int fd, struct nft_batch *b, const char *old, size_t limit);
/// Asks for all objects of a table: `type` is that of the request, `set` the one whose elements are meant, or NULL. Calls `each` with the
/// attributes of each answer.
void nft_dump(
    int fd, uint16_t type, const char *table, const char *set, void (*each)(const void *attributes, size_t length, void *context),
    void *context);
/// Takes in the answers to a request, up to their end or an error.
void nft_hear(int fd, void (*each)(const void *attributes, size_t length, void *context), void *context);
/// The first attribute of `type` in `length` bytes of attributes, or NULL.
const struct nlattr *nft_find(const void *attributes, size_t length, uint16_t type);
/// The attribute behind `before` in the list that the attribute `list` is, the first one for NULL; NULL at the end.
const struct nlattr *nft_next(const struct nlattr *list, const struct nlattr *before);
int nft_fail(int code, char *error, size_t capacity, const char *format, ...) __attribute__((format(printf, 4, 5)));

// nftrule.c: rules and their expressions
struct nft_rule {
    size_t expressions;
};
struct nft_rule nft_begin_rule(struct nft_batch *b, const char *chain);
void nft_end_rule(struct nft_batch *b, struct nft_rule rule);
void nft_jump_rule(struct nft_batch *b, const char *from, const char *to);
void nft_verdict_rule(struct nft_batch *b, const char *chain, int verdict);

enum { nft_source = 12, nft_destination = 16 };  // offsets in the IPv4 header
/// A field of the network or the transport header into a register.
void nft_payload_into(struct nft_batch *b, uint32_t destination, uint32_t base, uint32_t offset, uint32_t length);
/// The same into register 1.
void nft_payload(struct nft_batch *b, uint32_t base, uint32_t offset, uint32_t length);
void nft_protocol_into(struct nft_batch *b, uint32_t destination);
void nft_compare(struct nft_batch *b, uint32_t operation, const void *value, size_t length);
void nft_match_payload(struct nft_batch *b, uint32_t base, uint32_t offset, const void *value, uint32_t length);
void nft_match_protocol(struct nft_batch *b, uint8_t protocol);
/// True for packets that leave by an interface.
void nft_match_exit(struct nft_batch *b, uint32_t interface);
/// Keeps of register 1 what is in the mask.
void nft_mask(struct nft_batch *b, const void *mask, uint32_t length);
/// Matches the address in register 1, which is spoilt by it, against a network: NFT_CMP_EQ or NFT_CMP_NEQ.
void nft_match_network(struct nft_batch *b, const uint8_t *network, unsigned prefix, uint32_t operation);
/// nftegress.c: whether pods may leave the cluster, and the match of packets that do.
int nft_has_way_out(void);
void nft_match_leaving(struct nft_batch *b);
/// True for packets of connections in one of these states (NF_CT_STATE_BIT).
void nft_match_state(struct nft_batch *b, uint32_t states);
/// A number below `count`, at random.
void nft_random_into(struct nft_batch *b, uint32_t destination, uint32_t count);
void nft_load(struct nft_batch *b, uint32_t destination, const void *value, size_t length);
/// Looks register 1 up in a set; `destination` is where a map's value goes (a verdict is carried out), or -1 for a plain set.
void nft_lookup(struct nft_batch *b, const char *set, int destination);
/// Puts register 1 with the value in register 2 into a map, or lets the element that is there live on.
void nft_remember(struct nft_batch *b, const char *map);
void nft_nat(struct nft_batch *b, uint32_t type, uint32_t address, uint32_t port);
/// Of a packet; `port` may be NULL.
void nft_translate(struct nft_batch *b, uint32_t type, const uint8_t *address, const uint8_t *port);
void nft_verdict(struct nft_batch *b, int verdict, const char *chain);
/// Answers a connection with a reset, or any packet with a reason (ICMP_PORT_UNREACH).
void nft_reset(struct nft_batch *b);
void nft_reject(struct nft_batch *b, uint8_t code);
