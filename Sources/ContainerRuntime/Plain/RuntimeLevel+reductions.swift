import Glibc

extension RuntimeLevel {
    /// What works less well than in a real cluster on this level, in plain sentences, for `velocity doctor` and the README.
    public var reductions: [String] {
        switch self {
        case .sandbox:
            [
                "Privileged containers have the rights of ordinary ones; hostPID and hostIPC are not given.",
                "Limits are kept by watching; /proc/meminfo and nproc show this machine's memory and processors.",
                "Seccomp profiles of one's own (type Localhost) are refused.",
                "Pods reach nothing outside of the cluster unless it is started with --allow-egress"
                    + (EchoSocket.isAllowed
                        ? "." : "; for ping, too: sudo sysctl net.ipv4.ping_group_range='0 2147483647'."),
            ]
                + (geteuid() == 0
                    ? []
                    : [
                        "One user and one group can be had per container: supplementalGroups and fsGroup are not given,"
                            + " and a program that changes its user itself fails (as root, all of this works)."
                    ])
        case .plain:
            [
                "Containers see this machine's files: volumes are reached through paths in arguments and environment, not mounted.",
                "Containers see this machine's processes and its host name.",
                "Images that were loaded or built do not run: they need a root of their own.",
                "Pods have addresses in 127.244.0.0/16, and ports below 1024 are really 20000 higher.",
                "Services carry TCP, without session affinity or external addresses; of UDP only DNS, and node ports from this machine.",
                "NetworkPolicy is not enforced, and pods reach this machine's own servers and the world outside.",
                "A container's user, and limits of memory and CPU, are not enforced.",
                "Programs that print the address they listen on show the real one.",
                "Names of Services need programs that ask DNS themselves; a resolver service of this machine does not know them.",
            ]
        case .simulated: ["Pods follow rules; no program runs and nothing answers."]
        }
    }
}
