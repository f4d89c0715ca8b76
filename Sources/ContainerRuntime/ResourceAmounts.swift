/// What a container, or a whole pod, asks for and may use.
public struct ResourceAmounts: Sendable, Hashable {
    /// Bytes; nil means no limit.
    public var memoryLimitBytes: Int?
    /// Thousandths of a core; nil means no limit.
    public var cpuLimitMillicores: Int?
    /// Thousandths of a core; nil means that nothing is asked for.
    public var cpuRequestMillicores: Int?

    public init(memoryLimitBytes: Int? = nil, cpuLimitMillicores: Int? = nil, cpuRequestMillicores: Int? = nil) {
        self.memoryLimitBytes = memoryLimitBytes
        self.cpuLimitMillicores = cpuLimitMillicores
        self.cpuRequestMillicores = cpuRequestMillicores
    }

    /// The weight of its control group beside others (1 to 10000); 0 where no processor is asked for or limited.
    ///
    /// As the kubelet and runc make it: of a request, which a limit stands in for, shares (1,024 for a core, 2 to 262,144), and of those
    /// a weight.
    var cpuWeight: Int {
        guard let millicores = cpuRequestMillicores ?? cpuLimitMillicores else { return 0 }
        let shares = min(max(2, millicores * 1024 / 1000), 262_144)
        return 1 + (shares - 2) * 9999 / 262_142
    }
}
