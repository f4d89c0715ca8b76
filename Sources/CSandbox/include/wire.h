#pragma once

/// The messages between this program and `sandboxd`, which owns the namespaces.
///
/// `sandboxd` is started with a SEQPACKET socket as descriptor 3. A message is one packet: u32 type, u32 id,
/// then fields, each a u32 length and so many bytes; numbers are 4 bytes. Everything is in the machine's own byte order. A reply carries the
/// id of its request; descriptors travel beside a message as SCM_RIGHTS.

enum vs_message {
    /// pod, host name, address (text; empty: the pod is in the node's network), count + settings of the kernel (name=value),
    /// amounts of all its containers together → reply
    VS_POD_CREATE = 1,
    /// pod → reply, when all its processes are gone
    VS_POD_REMOVE = 2,
    /// pod, container, directory, user (-1: none), terminal (0 or 1), count + arguments, count + environment, amounts,
    /// rights, count + (source, path in it or nothing, target, read-only, in memory, KiB or 0), count + (path, content),
    /// image of its own (0 or 1), above the host's system (0 or 1), folder that keeps changes or nothing, count + layers, container whose processes it sees or nothing;
    /// descriptors: input, output, errors, or none with a terminal → reply with the process id, and with the terminal's other side
    ///
    /// Amounts: bytes of memory (the lower and the upper 32 bits) and thousandths of a core that it may use, or 0; its weight
    /// beside others on the processor (1 to 10000), or 0 where it asks for nothing.
    ///
    /// Rights: group (-1: none), count + groups, capabilities (the lower and the upper 32), flags (VS_NO_NEW_PRIVILEGES
    /// and on), score (0 to 1000: who goes first when memory is full).
    VS_CONTAINER_START = 3,
    /// container, signal → reply
    VS_CONTAINER_SIGNAL = 4,
    /// container, name of the execution, directory, user, terminal, count + arguments, count + environment, rights; descriptors and
    /// reply as for VS_CONTAINER_START. Its name is kept until VS_END.
    VS_EXECUTE = 5,
    /// 6 or 17, address (text), port → reply with a descriptor
    VS_LISTEN = 6,
    /// pod or nothing, address (text), port, milliseconds, source address (text) or nothing → reply with a descriptor, when the connection stands
    VS_CONNECT = 7,
    /// rule table (nft.h) → reply
    VS_RULES = 8,
    /// name of an execution, 1 or 0 → reply. 1: everything it started is gone by then; 0: it has ended, and what it left running
    /// in its container goes with the container.
    VS_END = 9,
    /// policy table (nft.h) → reply
    VS_POLICY = 10,
    /// egress table (nft.h) → reply with a packet socket, where frames of all leave that is no TCP; without one where there can be none
    VS_EGRESS = 11,
    /// folder → reply with a descriptor of what is over it for pods from now on: a folder in memory
    VS_MEMORY_FOLDER = 12,
    /// how many, at most vs_descriptors_max → reply with so many TCP sockets of the cluster's network to connect with
    VS_SOCKETS = 13,
    /// nothing → reply, its text the sum of the service rules in force (`vs_nft_sum`)
    VS_RULES_SUM = 14,

    /// number: 0 or an errno; text: a sentence; further fields as the request says
    VS_REPLY = 100,
    /// name of a container or an execution, wait status, 1 where it was ended for using too much memory
    VS_EXITED = 101,
    /// number: 0 or an errno, text: `sandboxd` is ready or will not be
    VS_STARTED = 102,
};

enum vs_start_flags {
    /// Running a program gives no privilege that its user does not have.
    VS_NO_NEW_PRIVILEGES = 1,
    /// No system call is denied.
    VS_UNFILTERED = 2,
    VS_READ_ONLY_ROOT = 4,
    /// Nothing of /proc is hidden or read-only.
    VS_PLAIN_PROC = 8,
    /// The container sees the processes of its whole pod.
    VS_SHARED_PROCESSES = 16,
};

enum {
    vs_packet_bytes_max = 192 * 1024,
    /// Beside one packet from `sandboxd`.
    vs_descriptors_max = 64,
};
