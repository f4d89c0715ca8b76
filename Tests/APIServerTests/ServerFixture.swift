import APIServer
import FoundationEssentials
import KubeClient
import KubeModel
import Testing

/// Runs an action while an API server over memory listens on a free port.
func withServer(
    tokens: [String: UserInfo] = [:],
    _ action: @Sendable (_ fixture: Fixture, _ kubeconfig: String, _ port: Int) async throws -> Void
) async throws {
    let pki = try PKI.make()
    var configuration = APIServerConfiguration(port: 0, credentials: pki)
    configuration.tokens = tokens
    let fixture = try Fixture(configuration: configuration)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await fixture.server.run() }
        let port = try await fixture.server.boundPort
        try await action(fixture, pki.kubeconfig(server: "https://127.0.0.1:\(port)"), port)
        group.cancelAll()
    }
}

func removeFolder(_ path: String) {
    do {
        try FileManager.default.removeItem(atPath: path)
    } catch {
        Issue.record("\(path) is left behind: \(error)")
    }
}
