#pragma once

#include <stddef.h>
#include <stdint.h>

/// Service rules as nf_tables, spoken over raw nfnetlink: no `nft` program, no library, no privilege beyond CAP_NET_ADMIN
/// over the network namespace that the caller is in.
///
/// The rule table is what `ServiceRuleTable` in Swift encodes. All numbers are big-endian, nothing is padded:
///
///     "VSR1"                     magic and version
///     u32 gateway                the address that packets take as their source when they would otherwise turn back (hairpin)
///     u16 count                  rules that follow
///     count times:
///       u32 address, u16 port    the cluster IP and the port of the service
///       u8  protocol             6 (TCP) or 17 (UDP)
///       u16 backends             0: connections are refused
///       backends times: u32 address, u16 port

/// Replaces our rules in the present network namespace by those in `rules`, in one transaction.
///
/// Connections that exist keep their backend. A table that is malformed changes nothing. Not thread-safe, and every call
/// of a process must come from the same network namespace: the netlink socket of the first one is kept.
/// - Returns: 0, or a negative errno with one sentence in `error`.
int vs_nft_apply(const uint8_t *rules, size_t length, char *error, size_t errorCapacity);

/// Whether this kernel has every expression that the rules need: makes a throw-away table in the present network namespace.
/// - Returns: 0, or a negative errno.
int vs_nft_probe(void);
