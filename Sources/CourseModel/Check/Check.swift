/// One thing that a checkpoint judges, as data: steps that act and steps that wait for a fact.
public struct Check: Hashable, Sendable {
    /// Never renamed: progress is keyed by it.
    public let id: CheckID
    /// A fact: "three replicas are ready".
    public let title: String
    /// Checks that must pass first; otherwise this one is skipped.
    public let needs: [CheckID]
    /// Why only the embedded cluster can be judged; nil when any cluster can.
    public let needsEmbedded: String?
    /// What passing it is worth.
    public let points: Int
    /// In order; the first one that does not come true ends the check.
    public let steps: [CheckStep]
    /// Never empty.
    public let hints: [Hint]

    public init(
        id: CheckID, title: String, needs: [CheckID] = [], needsEmbedded: String? = nil, points: Int = 1,
        steps: [CheckStep], hints: [Hint]
    ) {
        self.id = id
        self.title = title
        self.needs = needs
        self.needsEmbedded = needsEmbedded
        self.points = points
        self.steps = steps
        self.hints = hints
    }

    /// What the author says about a cause; nil when there is nothing particular.
    public func hint(for cause: Cause) -> String? { hints.first { $0.cause == cause }?.text }

    /// What the author says when the cause is not known.
    public var generalHint: String { hints.first { $0.cause == nil }?.text ?? hints.first?.text ?? "" }
}

/// One step of a check.
public enum CheckStep: Hashable, Sendable {
    /// Does something to the cluster that is undone when the check ends.
    case act(CheckAction)
    /// Waits until something is true; a limit of zero means: now.
    case expect(ClusterCondition, within: Duration)
}

/// What a check does to the cluster.
public enum CheckAction: Hashable, Sendable {
    /// Deletes one object that the selection gives, preferably one that is ready, and remembers it as `name`.
    case delete(Selection, name: String)
    /// Sets the number of replicas; set back to what it was when the check ends.
    case scale(ObjectRef, replicas: Int)
    /// Merges a change into an object; its `spec` and `data` are set back when the check ends.
    case patch(ObjectRef, YAMLValue)
    /// What `kubectl rollout restart` does; what comes of it are younger pods, and they stay.
    case restart(ObjectRef)
    /// Sends requests from this machine, one after the other, until the check ends, and counts them as `name`.
    case load(HTTPExpectation, name: String)
}

/// What must be true of the cluster.
public enum ClusterCondition: Hashable, Sendable {
    /// The object exists and meets every requirement.
    case object(ObjectRef, [Requirement])
    /// There is no such object.
    case absent(ObjectRef)
    /// So many objects of the selection meet the requirements.
    case count(Selection, [Requirement], Comparison)
    /// The Deployment has exactly so many pods, all of them ready, and has taken note of its latest change.
    case ready(deployment: ObjectRef, count: Int)
    /// The pod that an action deleted is going, and a new one of the same owner is ready.
    case replaced(name: String)
    /// The Service leads to at least so many ready pods.
    case endpoints(service: ObjectRef, atLeast: Int)
    /// An HTTP request is answered as it should be.
    case answers(HTTPExpectation)
    /// The pod of this name runs and is ready.
    case podReady(ObjectRef)
    /// The log of a pod of the selection contains the text.
    case logged(ContainerRef, text: String)
    /// The name leads to an address inside the cluster.
    case resolves(name: String)
    /// Of the requests that an action sends, at most so many found nobody.
    case lost(load: String, atMost: Int)
    /// A command in a container ends as it should.
    case executed(ContainerRef, CommandExpectation)
    /// The learner's answer to a question of the phase is right.
    case answered(LabQuestion)

    /// Whether it is found out by asking somebody, not by looking at objects.
    public var isAsked: Bool {
        switch self {
        case .answers, .logged, .resolves, .executed: true
        case .object, .absent, .count, .ready, .replaced, .endpoints, .podReady, .lost, .answered: false
        }
    }
}

/// A container whose log is read or in which a command runs: of one pod, or of the pods of a Deployment.
public struct ContainerRef: Hashable, Sendable, CustomStringConvertible {
    /// A Pod or a Deployment.
    public let object: ObjectRef
    /// Nil: the only container.
    public let container: String?

    public init(object: ObjectRef, container: String? = nil) {
        self.object = object
        self.container = container
    }

    public var description: String {
        "\(object.kind.lowercased())/\(object.name)\(container.map { " -c \($0)" } ?? "")"
    }
}

/// A command that runs in a container, and its right end.
public struct CommandExpectation: Hashable, Sendable, CustomStringConvertible {
    /// The program and its arguments; there is no shell unless the author names one.
    public let command: [String]
    public let exitCode: Int
    /// A text that standard output must hold; nil when none is asked for.
    public let contains: String?
    /// What standard output must be, without white space at its ends; nil when it does not matter.
    public let equals: String?

    public init(command: [String], exitCode: Int = 0, contains: String? = nil, equals: String? = nil) {
        self.command = command
        self.exitCode = exitCode
        self.contains = contains
        self.equals = equals
    }

    public var description: String { command.joined(separator: " ") }
}

/// One object by name.
public struct ObjectRef: Hashable, Sendable, CustomStringConvertible {
    /// As Kubernetes spells it: `Deployment`.
    public let kind: String
    public let name: String
    /// Nil: the lab's namespace.
    public let namespace: String?

    public init(kind: String, name: String, namespace: String? = nil) {
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }

    public var description: String { "\(kind) '\(name)'" }
}

/// Objects of a kind by label.
public struct Selection: Hashable, Sendable {
    public let kind: String
    /// As kubectl's `-l` takes it; nil selects all.
    public let selector: String?
    /// Nil: the lab's namespace.
    public let namespace: String?

    public init(kind: String, selector: String?, namespace: String? = nil) {
        self.kind = kind
        self.selector = selector
        self.namespace = namespace
    }
}

/// Something that an object must meet.
public enum Requirement: Hashable, Sendable {
    /// Every member is there with its value; each element of a list is met by some element of the object's list.
    case matches(YAMLValue)
    /// What the path gives compares so; with several values, one is enough.
    case value(ValuePath, Comparison)
}

/// How a value must be.
public enum Comparison: Hashable, Sendable {
    case equals(YAMLValue)
    case differs(YAMLValue)
    case atLeast(Double)
    case atMost(Double)
    case contains(String)
    case oneOf([YAMLValue])
    /// As `Requirement.matches`, below a path.
    case matches(YAMLValue)
    case exists
    case missing
}

/// An HTTP request and its right answer.
public struct HTTPExpectation: Hashable, Sendable {
    public enum Origin: Hashable, Sendable {
        /// From a short-lived pod in the lab's namespace.
        case inside
        /// From this machine; the host name `localhost` stands for the cluster's node.
        case outside
    }

    public let origin: Origin
    /// In capitals: `GET`, `POST`.
    public let method: String
    public let url: HTTPAddress
    /// What is sent, as JSON; nil sends nothing.
    public let sends: YAMLValue?
    public let status: Int
    /// Requirements on the body as JSON; empty when the body does not matter.
    public let body: [Requirement]
    /// A text that the body must hold; nil when none is asked for.
    public let text: String?

    public init(
        origin: Origin, method: String = "GET", url: HTTPAddress, sends: YAMLValue? = nil, status: Int = 200,
        body: [Requirement] = [], text: String? = nil
    ) {
        self.origin = origin
        self.method = method
        self.url = url
        self.sends = sends
        self.status = status
        self.body = body
        self.text = text
    }
}

/// A plain `http://` URL in its parts.
public struct HTTPAddress: Hashable, Sendable, CustomStringConvertible {
    public let host: String
    public let port: Int
    /// With its leading slash, and the query.
    public let path: String

    /// Nil when the text is not a plain `http://` URL.
    public init?(parsing text: String) {
        guard text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst("http://".count)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: ":", omittingEmptySubsequences: false)
        guard let host = authority.first, !host.isEmpty, authority.count <= 2, !host.contains(where: \.isWhitespace)
        else {
            return nil
        }
        guard let port = authority.count == 2 ? Int(authority[1]) : 80, 1...65_535 ~= port else { return nil }
        self.host = String(host)
        self.port = port
        path = slash == rest.endIndex ? "/" : String(rest[slash...])
    }

    public var description: String { "http://\(host)\(port == 80 ? "" : ":\(port)")\(path)" }
}

/// What an author says when a check has failed.
public struct Hint: Hashable, Sendable {
    /// Nil: said when the cause is not known.
    public let cause: Cause?
    public let text: String

    public init(cause: Cause? = nil, text: String) {
        self.cause = cause
        self.text = text
    }
}

extension Check {
    /// What a learner may be told, one level at a time, each saying more than the one before.
    ///
    /// The first is the author's advice, then what the checker found out with its names and numbers, then what was
    /// expected and what was there. Without a failure there is only the advice. `velocity hint` shows them and
    /// records the level.
    public func hintLevels(after failure: Failure?) -> [String] {
        guard let failure else { return [generalHint] }
        let advice = hint(for: failure.cause) ?? generalHint
        let levels = [advice, failure.hint, "Expected: \(failure.expected). Found: \(failure.found)."]
        return levels.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
