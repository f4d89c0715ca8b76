import Foundation
import Glibc
import KubeClient
import KubeModel
import Testing

@Suite("Connections that break", .timeLimit(.minutes(5)))
struct ClosedConnectionTests {
    @Test("a request to a server that hangs up after each answer ends, whenever that happens")
    func hangsUp() async throws {
        let server = try HangingUpServer()
        defer { server.stop() }
        let text = """
            apiVersion: v1
            kind: Config
            clusters: [{name: a, cluster: {server: "http://127.0.0.1:\(server.port)"}}]
            users: [{name: a, user: {}}]
            contexts: [{name: a, context: {cluster: a, user: a}}]
            current-context: a
            """
        let file = NSTemporaryDirectory() + "/kubeconfig-\(UUID().uuidString.prefix(8))"
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let client = try HTTPSClient(kubeconfig: try Kubeconfig.load(path: file, environment: [:]), context: nil)
        let outcomes = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<10 {
                group.addTask {
                    var outcomes: [String] = []
                    for number in 0..<100 {
                        do {
                            _ = try await client.get(.configMaps, namespace: "default", name: "map-\(number)")
                            outcomes.append("answered")
                        } catch { outcomes.append((error as? Status)?.reason ?? "\(error)") }
                    }
                    return outcomes
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(outcomes.count == 1000 && Set(outcomes).isSubset(of: ["answered", "Unreachable"]))
        #expect(outcomes.contains("answered"))
    }
}

/// Says that a connection stays, and closes it after one answer.
private final class HangingUpServer: Sendable {
    let port: Int
    private let listener: Int32
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && listen(descriptor, 256) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        try #require(isListening)
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                var request = [UInt8](repeating: 0, count: 4096)
                if read(connection, &request, request.count) > 0 {
                    _ = Self.answer.withCString { write(connection, $0, Self.answer.utf8.count) }
                }
                close(connection)
            }
        }
    }

    /// Ends the thread, too.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }
}
