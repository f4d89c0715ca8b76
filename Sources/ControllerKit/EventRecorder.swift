import Glibc
public import KubeClient
public import KubeModel
import Synchronization

/// Writes `v1.Event` objects: what happened to an object, for people.
///
/// Repeats count up instead of piling up.
public struct EventRecorder: Sendable {
    public enum Kind: String, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    /// The events written so far, by what they say; shared by copies of the recorder.
    private final class Memory: Sendable {
        struct Known: Sendable {
            var name: String
            var count: Int
        }
        let events = Mutex<[String: Known]>([:])
    }

    private let client: any ClusterClient
    private let component: String
    private let host: String?
    private let memory = Memory()

    /// - Parameters:
    ///   - client: What it writes events with.
    ///   - component: Who says it, for example `kubelet`.
    ///   - host: The node it is said on, if it is.
    public init(client: any ClusterClient, component: String, host: String? = nil) {
        self.client = client
        self.component = component
        self.host = host
    }

    /// Records an event.
    ///
    /// Failing to do so never fails the caller: an event is a remark, not a fact that others build on. `fieldPath` is the
    /// part of the object that it is about, for example `spec.containers{web}`.
    public func record(
        _ object: KubeObject, _ kind: Kind, reason: String, message: String, fieldPath: String? = nil,
        now: Timestamp = .now
    ) async {
        let identity = [object.uid, kind.rawValue, reason, message, fieldPath ?? ""].joined(separator: "\u{0}")
        let known = memory.events.withLock { events in
            events[identity]?.count += 1
            return events[identity]
        }
        let namespace = object.namespace ?? "default"
        if let known {
            let patch = ObjectPatch.merge(["count": JSONValue(known.count), "lastTimestamp": .string(now.text)])
            let patched = try? await client.patch(
                .events, namespace: namespace, name: known.name, patch, subresource: nil, options: WriteOptions())
            if patched != nil { return }
        }
        var event = KubeObject(
            .events, namespace: namespace, name: "\(object.name).\(String(now.nanoseconds, radix: 16))")
        event.value["involvedObject"] = reference(to: object, namespace: namespace, fieldPath: fieldPath)
        event.value["reason"] = .string(reason)
        event.value["message"] = .string(String(message.prefix(1024)))
        var source: JSONValue = ["component": .string(component)]
        if let host { source["host"] = .string(host) }
        event.value["source"] = source
        event.value["firstTimestamp"] = .string(now.text)
        event.value["lastTimestamp"] = .string(now.text)
        event.value["count"] = 1
        event.value["type"] = .string(kind.rawValue)
        event.value["eventTime"] = .null
        event.value["reportingComponent"] = .string(component)
        event.value["reportingInstance"] = .string(host ?? "")
        guard let created = try? await client.create(.events, event) else { return }
        memory.events.withLock { events in
            // Old ones are forgotten: a repeat after that starts a new event.
            if events.count > 4096 { events.removeAll() }
            events[identity] = Memory.Known(name: created.name, count: 1)
        }
    }

    private func reference(to object: KubeObject, namespace: String, fieldPath: String?) -> JSONValue {
        var reference: JSONValue = ["kind": .string(object.kind)]
        if object.namespace != nil { reference["namespace"] = .string(namespace) }
        reference["name"] = .string(object.name)
        reference["uid"] = .string(object.uid)
        reference["apiVersion"] = .string(object.apiVersion)
        reference["resourceVersion"] = .string(object.resourceVersion)
        if let fieldPath { reference["fieldPath"] = .string(fieldPath) }
        return reference
    }
}
