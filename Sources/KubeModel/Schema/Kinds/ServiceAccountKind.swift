extension KindSchema {
    /// The identity of pods towards the API server.
    static let serviceAccount = KindSchema(
        .serviceAccounts, shortNames: ["sa"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.ServiceAccount", doc: "The identity of pods towards the API server.",
            [
                .field("automountServiceAccountToken", .bool, doc: "Whether pods get the token as a file."),
                .field(
                    "imagePullSecrets", .list(of: VolumeSchemas.localReference),
                    doc: "Secrets that pods get for fetching images."),
                .field(
                    "secrets", .list(of: VolumeSchemas.objectReference, keys: ["name"]),
                    doc: "Secrets that pods of this identity may use."),
            ]),
        subresources: ["token"],
        columns: [
            .name,
            .computed("Secrets", type: "integer", "Number of secrets.") { account, _ in
                JSONValue(account.value["secrets"]?.array?.count ?? 0)
            },
            .age,
        ])
}
