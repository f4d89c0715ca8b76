public import CourseModel
public import KubeClient
import KubeModel

/// Carries out solutions through the API, without kubectl.
public struct SolutionRunner: Sendable {
    private let client: any ClusterClient
    /// Where objects go that name no namespace.
    private let namespace: String
    private let shell: Shell?
    /// What is there already is brought to what the solution says, and made anew where it cannot be changed.
    private let replaces: Bool

    /// What a command line printed, standard error included, and how it ended.
    public struct ShellResult: Sendable {
        public let output: String
        public let exitCode: Int32

        public init(output: String, exitCode: Int32) {
            self.output = output
            self.exitCode = exitCode
        }
    }

    /// Runs a script with `bash`, in a folder with the lab's starter files, with kubectl wired to the cluster.
    public typealias Shell = @Sendable (_ script: String) async -> ShellResult

    /// - Parameters:
    ///   - shell: Nil where no solution has commands: one that has them then fails.
    ///   - replaces: For a cluster in which somebody has worked already: what is there under a name of the solution gives
    ///     way to it.
    public init(client: any ClusterClient, namespace: String, shell: Shell? = nil, replaces: Bool = false) {
        self.replaces = replaces
        self.client = client
        self.namespace = namespace
        self.shell = shell
    }

    /// An operation that the cluster refused.
    public struct Failure: UserError {
        public let operation: String
        public let reason: String
        public var message: String { "The solution stopped at '\(operation)': \(reason)" }
        public var hint: String? { nil }
    }

    /// Carries out the solutions in order; stops at the first operation that fails.
    public func run(_ solutions: [Solution]) async throws(Failure) {
        try await run(solutions.flatMap(\.operations))
    }

    /// Carries out operations in order; stops at the first that fails.
    public func run(_ operations: [Operation]) async throws(Failure) {
        for operation in operations {
            do throws(Status) {
                try await run(operation)
            } catch {
                throw Failure(operation: Self.describe(operation), reason: error.description)
            }
        }
    }

    private static func describe(_ operation: Operation) -> String {
        switch operation {
        case .apply(let file, _): "apply \(file)"
        case .serverSideApply(let file, _): "apply --server-side \(file)"
        case .run(let command): command
        case .create(let value): "create \(value["kind"]?.text ?? "object") \(value["metadata"]?["name"]?.text ?? "")"
        case .patch(let ref, _): "patch \(ref.kind) \(ref.name)"
        case .scale(let ref, let replicas): "scale \(ref.kind) \(ref.name) to \(replicas)"
        case .delete(let ref): "delete \(ref.kind) \(ref.name)"
        case .answer(let question, _): "answer \(question)"
        }
    }

    private func run(_ operation: Operation) async throws(Status) {
        switch operation {
        case .apply(_, let objects):
            for value in objects { try await apply(value) }
        case .serverSideApply(_, let objects):
            for value in objects {
                let (resource, object) = try object(value)
                _ = try await client.patch(
                    resource, namespace: object.namespace, name: object.name, ObjectPatch(.apply, object.value),
                    subresource: nil,
                    options: WriteOptions(fieldManager: "velocitylab", fieldValidation: .strict, isForced: true))
            }
        case .run(let command):
            guard let shell else {
                throw Status(code: 0, reason: "NoShell", message: "there is no shell to run commands in")
            }
            let result = await shell(command)
            if result.exitCode != 0 {
                throw Status(code: 0, reason: "CommandFailed", message: "exit \(result.exitCode): \(result.output)")
            }
        case .create(let value):
            let (resource, object) = try object(value)
            if replaces, (try? await client.get(resource, object.name, in: object.namespace)) != nil { return }
            _ = try await client.create(resource, object)
        case .patch(let ref, let value):
            _ = try await client.patch(
                try resource(ref), namespace: ref.namespace ?? namespace, name: ref.name,
                ObjectPatch(.strategic, JSONValue(value)), subresource: nil, options: WriteOptions())
        case .scale(let ref, let replicas):
            try await client.setReplicas(
                try resource(ref), namespace: ref.namespace ?? namespace, name: ref.name, to: replicas)
        case .delete(let ref):
            let (resource, home) = (try resource(ref), ref.namespace ?? namespace)
            try await client.deleteIfPresent(resource, ref.name, in: home)
            // As kubectl does; whether it is gone shows in what comes next.
            _ = try? await client.waitFor(resource, ref.name, in: home, timeout: .seconds(60)) { $0 == nil }
        case .answer: break
        }
    }

    /// Creates the object, or merges it into the one that is there.
    private func apply(_ value: YAMLValue) async throws(Status) {
        let (resource, object) = try object(value)
        let options = WriteOptions(fieldManager: "velocitylab", fieldValidation: .strict)
        do throws(Status) {
            // Asked first, as kubectl does: creating it again might fail for another reason, a node port that is taken.
            _ = try await client.get(resource, object.name, in: object.namespace)
        } catch {
            guard error.isNotFound else { throw error }
            _ = try await client.create(resource, object, options: options)
            return
        }
        if replaces { return try await replace(resource, object, options) }
        _ = try await client.patch(
            resource, namespace: object.namespace, name: object.name, ObjectPatch(.strategic, object.value),
            subresource: nil, options: options)
    }

    /// As `kubectl replace`, and where that is refused, as `kubectl replace --force`.
    private func replace(_ resource: ResourceType, _ object: KubeObject, _ options: WriteOptions) async throws(Status) {
        do throws(Status) {
            _ = try await client.update(resource, object, subresource: nil, options: options)
        } catch {
            guard error.code == 422 else { throw error }
            try await client.deleteIfPresent(resource, object.name, in: object.namespace)
            do {
                _ = try await client.waitFor(resource, object.name, in: object.namespace, timeout: .seconds(60)) {
                    $0 == nil
                }
            } catch {}
            _ = try await client.create(resource, object, options: options)
        }
    }

    private func object(_ value: YAMLValue) throws(Status) -> (ResourceType, KubeObject) {
        var object = KubeObject(JSONValue(value))
        guard let resource = ResourceType.ofKind(object.kind, apiVersion: object.apiVersion) else {
            throw Self.unknown(object.kind)
        }
        if resource.isNamespaced, object.namespace == nil { object.namespace = namespace }
        return (resource, object)
    }

    private func resource(_ ref: ObjectRef) throws(Status) -> ResourceType {
        guard let resource = ResourceType.ofKind(ref.kind) else { throw Self.unknown(ref.kind) }
        return resource
    }

    private static func unknown(_ kind: String) -> Status {
        Status(code: 0, reason: "UnknownKind", message: "the kind '\(kind)' is not known")
    }
}

extension JSONValue {
    /// What an author wrote, as it travels to a cluster.
    init(_ value: YAMLValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .list(let values): self = .array(values.map { JSONValue($0) })
        case .map(let members): self = .object(JSONObject(members.map { ($0.key, JSONValue($0.value)) }))
        }
    }
}
