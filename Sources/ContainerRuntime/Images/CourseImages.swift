/// The images of the course's own services: all are the program `Workloads` under another name, except `pause`, which every batch of
/// pods wants to be small.
extension ImageCatalog {
    static let courseImages: [BuiltIn] = [
        service(
            "velocitytech/payment-gateway", ["optimized", "latest", "1.0", "1.1", "2.0"], "payment-gateway",
            "takes card payments into PostgreSQL", port: 3000),
        service(
            "library/web", ["1.0", "1.1"], "payment-gateway", "the payment gateway under another name", port: 8080),
        service(
            "mycompany/orders-service", ["1.0", "2.0", "latest"], "orders-service",
            "starts slowly, with Spring Boot's /actuator/health", port: 8080
        ) { tag in ["STARTUP_SECONDS=\(tag == "2.0" ? 3 : 6)"] },
        service(
            "myapi", registry: "myregistry.azurecr.io", ["1.2.3", "1.3.0", "latest"], "sample-api",
            "/work and /burn keep a processor busy, for autoscaling", port: 3000),
        service(
            "library/myapi", ["1.2.3", "1.3.0", "latest"], "sample-api", "the same, without its registry", port: 3000),
        service(
            "mycompany/myapp", ["1.0", "latest"], "sample-api", "the same, where a page has a plain example", port: 8080
        ),
        service(
            "library/myapp", ["latest", "1.0"], "sample-api", "the same, where a page has a plain example", port: 8080),
        service(
            "velocitytech/broken-app", ["1.0", "latest"], "broken-app", "answers every request with an error",
            port: 8080),
        service(
            "velocitytech/leaking-app", ["1.0", "latest"], "leaking-app",
            "takes LEAK_MB_PER_SECOND (8) more memory each second", port: 8080),
        service(
            "velocitytech/crashing-app", ["1.0", "latest"], "crashing-app", "ends after CRASH_AFTER_SECONDS (3)",
            port: 8080),
        service(
            "velocitytech/slow-app", ["1.0", "latest"], "slow-app",
            "listens after STARTUP_SECONDS (20), answers after LATENCY_MS (1500)", port: 8080),
        service("library/hello-world", ["latest", "linux"], "hello-world", "greets and ends"),
        service(
            "pause", registry: "registry.k8s.io", nil, "pause", "waits until it is stopped", user: 65535,
            from: \.sandboxd),
        service(
            "pause", registry: "k8s.gcr.io", nil, "pause", "waits until it is stopped", user: 65535,
            from: \.sandboxd),
    ]

    /// - Parameters:
    ///   - tags: Nil for any.
    ///   - file: The program's file on this machine.
    ///   - more: Variables besides PORT and APP_VERSION, by the tag.
    private static func service(
        _ name: String, registry: String = "docker.io", _ tags: [String]?, _ program: String, _ what: String,
        user: Int? = nil, port: Int? = nil, from file: any KeyPath<ImageCatalog, String> & Sendable = \.workloads,
        more: @escaping @Sendable (_ tag: String) -> [String] = { _ in [] }
    ) -> BuiltIn {
        let repository = "\(registry)/\(name)"
        return BuiltIn(repository: repository, tags: tags, runs: "\(program) of this course: \(what)", needs: nil) {
            reference, tag, catalog in
            let version = tag.first?.isNumber ?? false ? tag : "1.0"
            let environment = port.map { ["PORT=\($0)", "APP_VERSION=\(version)"] + more(tag) } ?? []
            return Recipe(
                image: Image(
                    reference: reference, digest: "builtin:\(repository):\(tag)", entrypoint: [program],
                    environment: environment, user: user),
                mounts: [
                    .init(
                        hostPath: catalog[keyPath: file], containerPath: "/opt/velocitylab/bin/\(program)",
                        isReadOnly: true)
                ]
            )
        }
    }
}
