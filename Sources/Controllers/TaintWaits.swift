import KubeModel

/// Since when pods that tolerate their node for a while have done so.
struct TaintWaits<Instant: InstantProtocol> where Instant.Duration == Duration {
    private var begun: [ObjectKey: Instant] = [:]

    /// How long a pod may still stay; nil when nothing drives it away.
    ///
    /// - Parameter patience: How long it tolerates the node's taints, from when it was first asked about; nil: for ever.
    mutating func left(_ pod: ObjectKey, patience: Duration?, now: Instant) -> Duration? {
        guard let patience else {
            begun[pod] = nil
            return nil
        }
        let start = begun[pod] ?? now
        begun[pod] = start
        return max(.zero, patience - start.duration(to: now))
    }

    func isWaiting(_ pod: ObjectKey) -> Bool { begun[pod] != nil }
}
