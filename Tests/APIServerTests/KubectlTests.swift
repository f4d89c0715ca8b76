import APIServer
import Foundation
import KubeClient
import KubeModel
import Testing

@Suite("With the real kubectl", .enabled(if: Kubectl.path != nil), .timeLimit(.minutes(1))) struct KubectlTests {
    /// Keeps a server up while a script of one's own talks to it: `KUBECTL_SCRIPT=FILE swift test --filter script`.
    @Test(
        "a script of one's own runs against a server",
        .enabled(if: ProcessInfo.processInfo.environment["KUBECTL_SCRIPT"] != nil))
    func script() async throws {
        let path = try #require(ProcessInfo.processInfo.environment["KUBECTL_SCRIPT"])
        try await withServer { _, kubeconfig, _ in
            let kubectl = try Kubectl(kubeconfig: kubeconfig)
            defer { kubectl.remove() }
            let output = try await kubectl(path, program: "/bin/bash")
            FileHandle.standardOutput.write(Data("\(output.stdout)\n\(output.stderr)\n".utf8))
            #expect(output.code == 0)
        }
    }
}
