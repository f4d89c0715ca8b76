import APIServer
import KubeClient
import LabTesting

extension MemoryCluster {
    /// Runs `body` while an API server over memory listens on a free port.
    static func listening<Result: Sendable>(
        tokens: [String: UserInfo] = [:],
        _ body: @Sendable (_ cluster: MemoryCluster, _ kubeconfig: String, _ port: Int) async throws -> Result
    ) async throws -> Result {
        let pki = try PKI.make()
        var configuration = APIServerConfiguration(port: 0, credentials: pki)
        configuration.tokens = tokens
        let cluster = try MemoryCluster(configuration: configuration)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await cluster.server.run() }
            let port = try await cluster.server.boundPort
            defer { group.cancelAll() }
            return try await body(cluster, pki.kubeconfig(server: "https://127.0.0.1:\(port)"), port)
        }
    }

    /// Runs `body` with a client that reaches such a server over HTTPS.
    static func overHTTPS<Result: Sendable>(
        _ body: @Sendable (_ cluster: MemoryCluster, _ client: HTTPSClient) async throws -> Result
    ) async throws -> Result {
        try await listening { cluster, kubeconfig, _ in
            try await body(cluster, HTTPSClient(kubeconfig: Kubeconfig(yaml: kubeconfig), context: nil))
        }
    }
}
