import Glibc
import Testing

@testable import ContainerRuntime

@Suite(
    "The channel to sandboxd", .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there is no sandbox to test")
)
struct SandboxChannelTests {
    @Test("nothing is left of sandboxd after a shutdown, in a task that has been cancelled either")
    func cancelled() async throws {
        let channel = try SandboxChannel { _, _, _ in }
        let process = channel.process
        await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await channel.shutDown()
        }.value
        #expect(kill(process, 0) == -1 && errno == ESRCH)
    }
}
