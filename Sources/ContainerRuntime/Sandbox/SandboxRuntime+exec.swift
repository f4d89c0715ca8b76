import CSandbox
import Glibc
public import KubeClient
import Synchronization

/// Commands in containers, and joining a container's own process.
extension SandboxRuntime {
    public func exec(
        _ container: ContainerID, _ request: ExecRequest
    ) async throws(RuntimeError) -> any ContainerSession {
        guard let place = running.withLock({ $0[container.rawValue] }) else {
            throw .notFound("container \"\(container)\"")
        }
        let name = executions.withLock { number in
            number += 1
            return "\(container)#\(number)"
        }
        let hub = OutputHub()
        let output = hub.attach(output: request.hasOutput || request.isTerminal, errorOutput: request.hasErrorOutput)
        let (streams, ends) = try await ProgramStreams.make(request, hub: hub)
        defer { for end in ends { close(end) } }
        processes.add(name, pipes: 0) {}
        var asked = SandboxRequest(VS_EXECUTE)
        asked.add(container.rawValue)
        asked.add(name)
        asked.add(place.launch.workingDirectory)
        asked.add(place.configuration.runAsUser ?? -1)
        asked.add(request.isTerminal ? 1 : 0)
        asked.add(request.command)
        asked.add(Self.environment(place.launch, request))
        asked.add(rights: place.configuration.security)
        let session = ExecSession(name: name, streams: streams, output: output, processes: processes) {
            [channel] kills in
            var ending = SandboxRequest(VS_END)
            ending.add(name)
            ending.add(kills ? 1 : 0)
            _ = try? await channel.call(ending)
        }
        do throws(RuntimeError) {
            try await start(asked, request.command, streams, ends)
        } catch {
            await session.close()
            throw error
        }
        return session
    }

    private static func environment(_ launch: Launch, _ request: ExecRequest) -> [String] {
        var environment = launch.environment
        if request.isTerminal { environment = withTerminal(environment) }
        // `kubectl cp` unpacks what belongs to users that do not exist here, where root may give nothing away: tar would fail.
        if request.command.first?.split(separator: "/").last == "tar" {
            environment.append("TAR_OPTIONS=--no-same-owner")
        }
        return environment
    }

    public func attach(
        _ container: ContainerID, _ request: ExecRequest
    ) async throws(RuntimeError) -> any ContainerSession {
        let name = container.rawValue
        guard let place = running.withLock({ $0[name] }) else { throw .notFound("container \"\(container)\"") }
        let isTerminal = place.configuration.isTerminal
        let output = place.streams.hub.attach(
            output: request.hasOutput, errorOutput: request.hasErrorOutput && !isTerminal)
        return AttachSession(
            name: name, streams: place.streams, output: output, processes: processes, hasInput: request.hasInput,
            endsInput: place.configuration.isInputOnce, isOnTerminal: isTerminal)
    }

    public func execute(
        _ container: ContainerID, command: [String], timeout: Duration
    ) async throws(RuntimeError) -> ExecutionResult {
        let session = try await exec(container, ExecRequest(container: "", command: command))
        let box = OutputBox()
        let exit = await withTaskGroup(of: SessionExit?.self) { group in
            group.addTask {
                while let piece = await session.nextOutput() { box.append(piece.bytes) }
                return Task.isCancelled ? nil : await session.exit()
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        await session.close()
        switch exit {
        case .code(let code)?: return ExecutionResult(code: code, output: box.text)
        case .failed(let message)?: throw .system(message)
        case nil: return ExecutionResult(code: 137, output: box.text, isTimedOut: true)
        }
    }
}

/// What a command printed, at most 64 KiB of it.
private final class OutputBox: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func append(_ more: [UInt8]) {
        bytes.withLock { $0 += more.prefix(max(0, 64 * 1024 - $0.count)) }
    }

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}
