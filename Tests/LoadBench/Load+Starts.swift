import KubeModel
import NIOCore
import NIOHTTP1
import Synchronization

extension Load {
    /// When a watch told what of a pod.
    private final class Journal: Sendable {
        private struct State {
            var scheduled: [String: ContinuousClock.Instant] = [:]
            var running: [String: ContinuousClock.Instant] = [:]
            var wanted = 0
            var waiter: CheckedContinuation<Void, Never>?
        }
        private let state = Mutex(State())

        func note(_ pod: KubeObject, at time: ContinuousClock.Instant) {
            let isScheduled = pod.value[["spec", "nodeName"]]?.string?.isEmpty == false
            let status = pod.value[["status", "containerStatuses"]]?.array?.first
            let waiter = state.withLock { state in
                if isScheduled, state.scheduled[pod.name] == nil { state.scheduled[pod.name] = time }
                if status?[["state", "running"]] != nil, state.running[pod.name] == nil {
                    state.running[pod.name] = time
                }
                guard state.running.count >= state.wanted else { return nil as CheckedContinuation<Void, Never>? }
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }

        /// Returns when so many pods have been seen to run.
        func wait(for count: Int) async {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    state.wanted = count
                    if state.running.count < count { state.waiter = continuation }
                    return state.running.count >= count
                }
                if isOver { continuation.resume() }
            }
        }

        /// For each pod, the time from a moment to the news of its process.
        func times(since began: ContinuousClock.Instant) -> [Duration] {
            state.withLock { $0.running.values.map { $0 - began } }
        }

        /// For each pod, the time from the news of its node to that of its process.
        var times: [Duration] {
            state.withLock { state in state.running.compactMap { name, end in state.scheduled[name].map { end - $0 } } }
        }
    }

    /// How long the pods of a batch take from being bound to a node to a running process, as a watcher of the API sees it.
    func podStarts(_ count: Int) async throws {
        let journal = Journal()
        let base = "/api/v1/namespaces/load/pods"
        let lines = WatchLines { line, time in
            guard let value = try? JSONValue(parsing: line), let object = value["object"] else { return }
            journal.note(KubeObject(object), at: time)
        }
        let channel = try await target.get(base + "?watch=1&labelSelector=app%3Dstarts", lines)
        let replicas =
            #"{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"starts"},"spec":{"replicas":\#(count),"#
            + #""selector":{"matchLabels":{"app":"starts"}},"template":{"metadata":{"labels":{"app":"starts"}},"#
            + #""spec":{"terminationGracePeriodSeconds":0,"#
            + #""containers":[{"name":"pause","image":"registry.k8s.io/pause:3.9"}]}}}}"#
        let began = ContinuousClock.now
        try await target.withConnection { connection in
            let answer = try await connection.ask(.POST, "/apis/apps/v1/namespaces/load/replicasets", replicas)
            guard answer.code == 201 else { throw LoadFailure(message: "Refused: \(String(buffer: answer.start))") }
        }
        await journal.wait(for: count)
        Report.line(
            "\(count) pods, scheduled -> process running", Report.spread(journal.times), "target: p50 under 10 ms")
        let all = journal.times(since: began)
        Report.line(
            "  from the ReplicaSet -> process running", "\(Report.spread(all)), all \(Report.text(all.max() ?? .zero))",
            "")
        let deleted = ContinuousClock.now
        try await target.withConnection {
            _ = try await $0.ask(.DELETE, base + "?labelSelector=app%3Dstarts")
        }
        await journal.wait(for: 2 * count)
        Report.line("  all deleted -> as many others run", Report.text(ContinuousClock.now - deleted), "")
        try await channel.close()
        try await target.withConnection {
            _ = try await $0.ask(.DELETE, "/apis/apps/v1/namespaces/load/replicasets/starts")
        }
    }
}

/// Reads the answer to a watch line by line.
private final class WatchLines: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let take: @Sendable ([UInt8], ContinuousClock.Instant) -> Void
    private var rest: [UInt8] = []

    init(_ take: @escaping @Sendable ([UInt8], ContinuousClock.Instant) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .body(let piece) = unwrapInboundIn(data) else { return }
        let now = ContinuousClock.now
        rest.append(contentsOf: piece.readableBytesView)
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(Array(rest[..<end]), now)
            rest.removeSubrange(...end)
        }
    }
}
