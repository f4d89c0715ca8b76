private let spec = Schema.object(
    "io.k8s.api.coordination.v1.LeaseSpec", doc: "Who holds the lease, and until when.",
    [
        .field("acquireTime", .microTime, doc: "When the holder got it."),
        .field("holderIdentity", .string, doc: "The holder."),
        .field("leaseDurationSeconds", .int32, minimum: 1, doc: "Seconds after the last renewal when it can be taken."),
        .field("leaseTransitions", .int32, minimum: 0, doc: "How often it changed hands."),
        .field("preferredHolder", .string, doc: "Who should get it next."),
        .field("renewTime", .microTime, doc: "When the holder last renewed it."),
        .field("strategy", .string, doc: "How the next holder is chosen."),
    ])

/// Choosing holders by the server is not switched on in 1.32: what asks for it is dropped, unless it was there before.
@Sendable
private func dropElection(_ lease: inout KubeObject, _ old: KubeObject?) {
    for member in ["preferredHolder", "strategy"] where old?.value[["spec", member]] == nil {
        lease.value[["spec", member]] = nil
    }
}

extension KindSchema {
    /// Something that only one may hold at a time.
    static let lease = KindSchema(
        .leases,
        root: MetadataSchemas.kind(
            "io.k8s.api.coordination.v1.Lease", doc: "Something that only one may hold at a time; also a sign of life.",
            [.field("spec", spec, default: [:], doc: "Who holds the lease, and until when.")]),
        columns: [
            .name, .value("Holder", ["spec", "holderIdentity"], absent: "", "The holder."), .age,
        ],
        behavior: KindBehavior {
            $0.prepareForCreate = { dropElection(&$0, nil) }
            $0.prepareForUpdate = { lease, old, _ in dropElection(&lease, old) }
        })
}
