public import KubeModel

/// Records events in their order beside the work that they are about: nobody waits until a remark is written.
public final class EventQueue: Sendable {
    private struct Remark: Sendable {
        var object: KubeObject
        var kind: EventRecorder.Kind
        var reason: String
        var message: String
        var fieldPath: String?
        var time: Timestamp
    }

    private let recorder: EventRecorder
    private let remarks: AsyncStream<Remark>
    private let remark: AsyncStream<Remark>.Continuation

    public init(_ recorder: EventRecorder) {
        self.recorder = recorder
        (remarks, remark) = AsyncStream.makeStream()
    }

    /// Puts an event in line; see `EventRecorder.record`.
    public func record(
        _ object: KubeObject, _ kind: EventRecorder.Kind, reason: String, message: String, fieldPath: String? = nil,
        now: Timestamp = .now
    ) {
        remark.yield(
            Remark(object: object, kind: kind, reason: reason, message: message, fieldPath: fieldPath, time: now))
    }

    /// Writes what is in line, until the task is cancelled.
    public func run() async {
        for await remark in remarks {
            await recorder.record(
                remark.object, remark.kind, reason: remark.reason, message: remark.message,
                fieldPath: remark.fieldPath, now: remark.time)
        }
    }
}
