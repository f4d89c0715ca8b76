#pragma once

#include <stdbool.h>

/// What the probe of this machine found out: the first step that failed, and why.
struct vs_probe_result {
    /// 0, or the errno of the step.
    int error;
    /// The step in a word or two, for example `user namespace`.
    char step[32];
};

/// Tries everything that level `sandbox` needs, in a child process that is gone afterwards: user, network, mount and process
/// namespaces, a veth pair, a private root with its own /proc, and nf_tables. Takes a few milliseconds.
struct vs_probe_result vs_probe(void);

/// Whether the system lends this user others for his containers: a range in /etc/subuid and /etc/subgid, and newuidmap to map it.
bool vs_has_user_ranges(void);
