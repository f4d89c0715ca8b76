#pragma once

#include <stddef.h>
#include <stdint.h>

/// Service rules as nf_tables, spoken over raw nfnetlink: no `nft` program, no library, no privilege beyond CAP_NET_ADMIN
/// over the network namespace that the caller is in.
///
/// The rule table is what `ServiceRuleTable` in Swift encodes. All numbers are big-endian, nothing is padded:
///
///     "VSR3"                     magic and version
///     u32 gateway                the address that packets take as their source when they would otherwise turn back (hairpin)
///     u16 network                the first half of the cluster IPs' network, a /16
///     u16 count                  rules that follow, no two for the same address, port, protocol and source
///     count times:
///       u32 address, u16 port    the cluster IP and the port of the service
///       u8  protocol             6 (TCP) or 17 (UDP)
///       u32 affinity             seconds for which a client stays with its pod after its last connection; 0: not at all
///       u32 source               the network, a /24, of the packets that it is for; 0: of all. All ones says that there are rules for
///                                networks at this address, port and protocol: what comes from others is dropped
///       u16 backends             0: connections are refused, or dropped where the rule is for a network
///       backends times: u32 address, u16 port

/// Replaces our rules in the present network namespace by those in `rules`, in one transaction.
///
/// What is the same as before is left alone. Connections that exist keep their backend, and clients keep theirs where a rule says so.
/// A table that is malformed changes nothing. Not thread-safe, and every call of a process must come from the same network
/// namespace: the netlink socket of the first one is kept.
/// - Returns: 0, or a negative errno with one sentence in `error`.
int vs_nft_apply(const uint8_t *rules, size_t length, char *error, size_t errorCapacity);

/// A number that follows from the service rules in force, as the kernel lists them, whatever the order in which they came to be.
uint64_t vs_nft_sum(void);

/// Replaces what pods may send to each other in the present network namespace, in one transaction; connections that exist
/// stay as they are.
///
/// The policy table is what `PolicyTable` in Swift encodes, again big-endian and unpadded:
///
///     "VPT1"
///     u32 node                   whatever comes from this address passes
///     u16 locals, so many u32    addresses of this namespace that are judged like pods (DNS, the ingress controller)
///     u16 sets
///     sets times: u16 count, count times u32 address
///     u16 chains
///     chains times:
///       u8  end                  0: the rules look at the sender (ingress), 1: at the receiver (egress)
///       u16 rules                what passes one of them is allowed, everything else is dropped
///       rules times:
///         u8  peer               0: anybody, 1: u16 set, 2: u32 network, u8 prefix, u8 exceptions times (u32 network, u8 prefix)
///         u8  protocol           0: any, and no ports follow; else u16 first, u16 last port
///     twice, ingress and then egress:
///       u16 pods
///       pods times: u32 address, u16 chain
/// - Returns: 0, or a negative errno with one sentence in `error`.
int vs_nft_apply_policy(const uint8_t *table, size_t length, char *error, size_t errorCapacity);

/// Diverts TCP that pods send out of the cluster to a socket of the present network namespace; to be called before policies are
/// applied, which then judge what leaves as well.
///
/// The table is what `EgressTable` in Swift encodes: "VEG1", u32 address and u16 port of the socket, u8 networks, and so many times
/// u32 network, u8 prefix: the cluster's own, which nobody leaves it by.
/// - Returns: 0, or a negative errno with one sentence in `error`.
int vs_nft_divert(const uint8_t *table, size_t length, char *error, size_t errorCapacity);

/// Whether this kernel has every expression that the rules need: makes a throw-away table in the present network namespace.
/// - Returns: 0, or a negative errno.
int vs_nft_probe(void);
