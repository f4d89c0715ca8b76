import CSandbox
import Glibc
import NIOPosix
import Synchronization

/// A request to `sandboxd`, in the format of `wire.h`.
struct SandboxRequest {
    private(set) var bytes: [UInt8] = []
    let type: vs_message

    init(_ type: vs_message) {
        self.type = type
        append(type.rawValue)
        append(UInt32(0))  // The id, filled in when it is sent.
    }

    private mutating func append(_ number: UInt32) { withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) } }

    mutating func add(_ number: Int) {
        append(4)
        append(UInt32(truncatingIfNeeded: number))
    }

    mutating func add(_ text: String) { add(Array(text.utf8) + [0]) }

    mutating func add(_ field: [UInt8]) {
        append(UInt32(field.count))
        bytes += field
    }

    mutating func add(_ list: [String]) {
        add(list.count)
        for text in list { add(text) }
    }

    /// What may be used (`wire.h`, "Amounts").
    mutating func add(_ resources: ResourceAmounts) {
        let memory = UInt64(max(0, resources.memoryLimitBytes ?? 0))
        add(Int(memory & 0xFFFF_FFFF))
        add(Int(memory >> 32))
        add(max(0, resources.cpuLimitMillicores ?? 0))
        add(resources.cpuWeight)
    }

    /// What a program may do (`wire.h`, "Rights").
    mutating func add(rights security: ContainerSecurity) {
        add(security.group ?? -1)
        add(security.supplementalGroups.count)
        for group in security.supplementalGroups { add(group) }
        add(Int(security.capabilities.bits & 0xFFFF_FFFF))
        add(Int(security.capabilities.bits >> 32))
        var flags: UInt32 = 0
        if !security.allowsPrivilegeEscalation { flags |= VS_NO_NEW_PRIVILEGES.rawValue }
        if !security.isSystemCallFiltered { flags |= VS_UNFILTERED.rawValue }
        if security.hasReadOnlyRoot { flags |= VS_READ_ONLY_ROOT.rawValue }
        if !security.hasMaskedProc { flags |= VS_PLAIN_PROC.rawValue }
        if security.processes == .pod { flags |= VS_SHARED_PROCESSES.rawValue }
        add(Int(flags))
        add(security.outOfMemoryScore)
    }

    fileprivate func numbered(_ id: UInt32) -> [UInt8] {
        var bytes = bytes
        withUnsafeBytes(of: id) { bytes.replaceSubrange(4..<8, with: $0) }
        return bytes
    }
}

/// What `sandboxd` answers.
struct SandboxReply: Sendable {
    /// 0 or an errno.
    var error: Int32
    var sentence: String
    var number: Int32
    /// Descriptors that now belong to the receiver.
    var descriptors: [Int32] = []

    /// The only one that is expected; -1 for none.
    var descriptor: Int32 { descriptors.first ?? -1 }
}

/// The socket to a running `sandboxd`: requests with their answers, and the ends of processes.
///
/// One thread waits for packets. It sleeps in the kernel, and costs nothing while nothing happens.
final class SandboxChannel: Sendable {
    private struct Shared {
        var nextID: UInt32 = 1
        var waiting: [UInt32: CheckedContinuation<SandboxReply, Never>] = [:]
        var isOpen = true
        var isShutDown = false
    }

    private let channel: Int32
    /// That of sandboxd.
    let process: pid_t
    private let shared = Mutex(Shared())
    private let reader = NIOThreadPool(numberOfThreads: 1)
    private let exited: @Sendable (_ name: String, _ status: Int32, _ isOutOfMemory: Bool) -> Void
    private let broken: @Sendable () -> Void

    /// What the other side said when it was ready.
    let greeting: String

    /// Starts `sandboxd` and waits until it is ready.
    ///
    /// - Parameters:
    ///   - role: The level that it serves, `sandbox` or `plain`; `build` for steps of images.
    ///   - broken: Called once if it ends without having been asked to; all that it kept has ended with it.
    init(
        role: String = "sandbox",
        exited: @escaping @Sendable (_ name: String, _ status: Int32, _ isOutOfMemory: Bool) -> Void,
        broken: @escaping @Sendable () -> Void = {}
    ) throws(RuntimeError) {
        var channel: Int32 = -1
        process = vs_channel_start(role, &channel)
        guard process > 0 else { throw .system("sandboxd cannot be started: \(String(cString: strerror(-process)))") }
        self.channel = channel
        self.exited = exited
        self.broken = broken
        let first = Self.receive(channel)
        guard let first, first.type == VS_STARTED.rawValue, first.number(0) == 0 else {
            close(channel)
            waitpid(process, nil, 0)
            throw .system(first?.text(1) ?? "sandboxd ended before it was ready")
        }
        greeting = first.text(1)
        reader.start()
        reader.submit { [weak self] _ in self?.readAll() }
    }

    /// Sends a request and waits for its answer.
    func call(_ request: SandboxRequest, descriptors: [Int32] = []) async throws(RuntimeError) -> SandboxReply {
        guard request.bytes.count <= vs_packet_bytes_max else {
            throw .system("the request is larger than \(vs_packet_bytes_max) bytes")
        }
        let reply = await withCheckedContinuation { (continuation: CheckedContinuation<SandboxReply, Never>) in
            let id = shared.withLock { shared -> UInt32? in
                guard shared.isOpen else { return nil }
                let id = shared.nextID
                shared.nextID &+= 1
                shared.waiting[id] = continuation
                return id
            }
            guard let id else { return continuation.resume(returning: Self.closed) }
            let bytes = request.numbered(id)
            let outcome = vs_channel_send(channel, bytes, bytes.count, descriptors, descriptors.count)
            if outcome < 0, let waiting = shared.withLock({ $0.waiting.removeValue(forKey: id) }) {
                let sentence = String(cString: strerror(-outcome))
                waiting.resume(returning: SandboxReply(error: -outcome, sentence: sentence, number: 0))
            }
        }
        return reply
    }

    /// Sends a request whose failure is an error of the system.
    @discardableResult
    func perform(_ request: SandboxRequest, descriptors: [Int32] = []) async throws(RuntimeError) -> SandboxReply {
        let reply = try await call(request, descriptors: descriptors)
        guard reply.error == 0 else { throw .system(reply.sentence) }
        return reply
    }

    /// Ends `sandboxd`, and with it everything that it keeps; returns when it is gone.
    func shutDown() async {
        let isFirst = shared.withLock { shared in
            defer {
                shared.isOpen = false
                shared.isShutDown = true
            }
            return !shared.isShutDown
        }
        guard isFirst else { return }
        // Both directions: the reading thread wakes up, and sandboxd sees the end.
        Glibc.shutdown(channel, Int32(SHUT_RDWR))
        let process = process
        // Also where the task is cancelled: an end that nobody takes note of would stay.
        await withCheckedContinuation { continuation in
            reader.submit { _ in
                waitpid(process, nil, 0)
                continuation.resume()
            }
        }
        try? await reader.shutdownGracefully()
        close(channel)
    }

    private static let closed = SandboxReply(error: EPIPE, sentence: "the runtime has stopped", number: 0)

    private func readAll() {
        while let packet = Self.receive(channel) {
            switch packet.type {
            case VS_REPLY.rawValue:
                let waiting = shared.withLock { $0.waiting.removeValue(forKey: packet.id) }
                guard let waiting else {
                    for descriptor in packet.descriptors { close(descriptor) }
                    continue
                }
                waiting.resume(
                    returning: SandboxReply(
                        error: packet.number(0), sentence: packet.text(1), number: packet.number(2),
                        descriptors: packet.descriptors))
            case VS_EXITED.rawValue: exited(packet.text(0), packet.number(1), packet.number(2) == 1)
            default: break
            }
        }
        let (waiting, isBroken) = shared.withLock { shared in
            defer {
                shared.waiting = [:]
                shared.isOpen = false
            }
            return (shared.waiting.values, shared.isOpen)
        }
        for continuation in waiting { continuation.resume(returning: Self.closed) }
        if isBroken { broken() }
    }

    private struct Packet {
        var type: UInt32
        var id: UInt32
        var fields: [ArraySlice<UInt8>]
        var descriptors: [Int32]

        func text(_ index: Int) -> String {
            fields.indices.contains(index) ? String(decoding: fields[index], as: UTF8.self) : ""
        }

        func number(_ index: Int) -> Int32 {
            guard fields.indices.contains(index), fields[index].count == 4 else { return EPROTO }
            return fields[index].withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
        }
    }

    /// Waits for a packet; nil at the end of the channel.
    private static func receive(_ channel: Int32) -> Packet? {
        var buffer = [UInt8](repeating: 0, count: 8192)
        var descriptors = [Int32](repeating: -1, count: Int(vs_descriptors_max))
        var descriptorCount = 0
        let count = vs_channel_receive(channel, &buffer, buffer.count, &descriptors, &descriptorCount)
        guard count >= 8 else { return nil }
        func number(_ offset: Int) -> UInt32 {
            buffer.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        }
        var fields: [ArraySlice<UInt8>] = []
        var position = 8
        while position + 4 <= count {
            let length = Int(number(position))
            guard position + 4 + length <= count else { break }
            fields.append(buffer[position + 4..<position + 4 + length])
            position += 4 + length
        }
        return Packet(
            type: number(0), id: number(4), fields: fields, descriptors: Array(descriptors.prefix(descriptorCount)))
    }
}
