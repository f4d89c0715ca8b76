/// A way of solving a phase, as operations that need no kubectl.
public struct Solution: Hashable, Sendable {
    public let id: SolutionID
    public let phase: PhaseID
    public let title: String
    /// The solution that must be carried out before this one.
    public let after: SolutionID?
    public let operations: [Operation]

    public init(id: SolutionID, phase: PhaseID, title: String, after: SolutionID? = nil, operations: [Operation]) {
        self.id = id
        self.phase = phase
        self.title = title
        self.after = after
        self.operations = operations
    }
}

/// One thing that a solution does to the cluster.
public enum Operation: Hashable, Sendable {
    /// What `kubectl apply -f FILE` does: the objects of a file, created or brought to what it says.
    case apply(file: String, objects: [YAMLValue])
    /// What `kubectl apply --server-side -f FILE` does.
    case serverSideApply(file: String, objects: [YAMLValue])
    /// A command line for `bash`, in a folder with the starter files, with kubectl wired to the cluster.
    case run(String)
    /// What `kubectl create` does for one object.
    case create(YAMLValue)
    /// What `kubectl patch` does: a strategic merge, in which containers are told apart by name.
    case patch(ObjectRef, YAMLValue)
    /// What `kubectl scale` does.
    case scale(ObjectRef, replicas: Int)
    /// What `kubectl delete --ignore-not-found` does.
    case delete(ObjectRef)
    /// What a learner writes in answer to a question; nothing happens in the cluster.
    case answer(QuestionID, String)
}

/// A deliberate mistake: a solution with changes, the check that must catch it, and the hint that must come.
public struct Mutant: Hashable, Sendable {
    public let id: MutantID
    public let title: String
    public let solution: SolutionID
    public let changes: [Change]
    /// What is done after the solution.
    public let operations: [Operation]
    public let fails: Expectation

    /// A change to one object of an applied file.
    public struct Change: Hashable, Sendable {
        public let file: String
        public let kind: String
        public let name: String
        public let path: ValuePath
        /// Nil removes what is there.
        public let value: YAMLValue?

        public init(file: String, kind: String, name: String, path: ValuePath, value: YAMLValue?) {
            self.file = file
            self.kind = kind
            self.name = name
            self.path = path
            self.value = value
        }
    }

    /// How the mistake must show.
    public struct Expectation: Hashable, Sendable {
        public let check: CheckID
        /// The cause that the checker must find.
        public let cause: Cause
        /// Texts that the hint must contain.
        public let hint: [String]

        public init(check: CheckID, cause: Cause, hint: [String]) {
            self.check = check
            self.cause = cause
            self.hint = hint
        }
    }

    public init(
        id: MutantID, title: String, solution: SolutionID, changes: [Change], operations: [Operation] = [],
        fails: Expectation
    ) {
        self.id = id
        self.title = title
        self.solution = solution
        self.changes = changes
        self.operations = operations
        self.fails = fails
    }
}

extension YAMLValue {
    /// The value with what `path` names set to `value`; nil when the path leads nowhere.
    ///
    /// `[*]` and `[key=value]` change every element that they name. The last member of the path may be new.
    public func setting(_ path: ValuePath, to value: YAMLValue?) -> YAMLValue? {
        setting(path.steps[...], to: value)
    }

    private func setting(_ steps: ArraySlice<ValuePath.Step>, to new: YAMLValue?) -> YAMLValue? {
        guard let step = steps.first else { return new }
        let rest = steps.dropFirst()
        switch step {
        case .member(let name):
            guard members != nil else { return nil }
            var copy = self
            if rest.isEmpty {
                copy[name] = new
            } else {
                guard let changed = self[name]?.setting(rest, to: new) else { return nil }
                copy[name] = changed
            }
            return copy
        case .index, .all, .filter:
            guard var elements = list else { return nil }
            let indices = elements.indices.filter { Self.selects(step, elements[$0], at: $0) }
            if indices.isEmpty { return nil }
            for index in indices.reversed() {
                if rest.isEmpty, new == nil {
                    elements.remove(at: index)
                } else {
                    guard let changed = elements[index].setting(rest, to: new) else { return nil }
                    elements[index] = changed
                }
            }
            return .list(elements)
        }
    }

    private static func selects(_ step: ValuePath.Step, _ element: YAMLValue, at index: Int) -> Bool {
        switch step {
        case .member: false
        case .index(let wanted): wanted == index
        case .all: true
        case .filter(let key, let value): element[key]?.text == value
        }
    }
}

extension [Solution] {
    /// The solution and those that come before it, first one first; a ring ends where it closes.
    public func chain(endingWith id: SolutionID) -> [Solution] {
        var chain: [Solution] = []
        var next: SolutionID? = id
        while let id = next, !chain.contains(where: { $0.id == id }), let solution = first(where: { $0.id == id }) {
            chain.insert(solution, at: 0)
            next = solution.after
        }
        return chain
    }
}

extension Solution {
    /// Whether the solution applies what the change is about.
    public func canApply(_ change: Mutant.Change) -> Bool { applying(change) != nil }

    /// The solution with the change made; nil when there is nothing to change.
    public func applying(_ change: Mutant.Change) -> Solution? {
        var found = false
        let changed = operations.map { operation -> Operation in
            guard case .apply(let file, let objects) = operation, file == change.file else { return operation }
            return .apply(
                file: file,
                objects: objects.map { object in
                    guard object["kind"]?.string == change.kind,
                        object["metadata"]?["name"]?.string == change.name,
                        let new = object.setting(change.path, to: change.value), new != object
                    else { return object }
                    found = true
                    return new
                })
        }
        return found ? Solution(id: id, phase: phase, title: title, after: after, operations: changed) : nil
    }
}
