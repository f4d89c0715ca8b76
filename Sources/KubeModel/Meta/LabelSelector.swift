/// Why a selector cannot be read, in the API server's words.
public struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    public let message: String
    public init(message: String) { self.message = message }
    public var description: String { message }
}

/// Which labels an object must have.
///
/// Two forms exist: the text of `?labelSelector=` (`app=web,tier in (a,b),!old`) and the object of manifests
/// (`matchLabels`, `matchExpressions`). Source: Kubernetes docs, "Labels and Selectors".
public struct LabelSelector: Sendable, Hashable {
    public enum Operator: String, Sendable {
        case isIn = "In"
        case isNotIn = "NotIn"
        case exists = "Exists"
        case doesNotExist = "DoesNotExist"
        case isGreater = "Gt"
        case isLess = "Lt"
    }

    public struct Requirement: Sendable, Hashable {
        public var key: String
        public var operation: Operator
        public var values: [String]

        public init(key: String, operation: Operator, values: [String] = []) {
            self.key = key
            self.operation = operation
            self.values = values
        }

        func isMet(by labels: [String: String]) -> Bool { isMet(byValue: labels[key]) }

        func isMet(byValue present: String?) -> Bool {
            switch operation {
            case .isIn: return present.map(values.contains) ?? false
            case .isNotIn: return present.map { !values.contains($0) } ?? true
            case .exists: return present != nil
            case .doesNotExist: return present == nil
            case .isGreater, .isLess:
                guard let present, let left = Int64(present), let right = values.first.flatMap({ Int64($0) }) else {
                    return false
                }
                return operation == .isGreater ? left > right : left < right
            }
        }

        var text: String {
            switch operation {
            case .isIn: values.count == 1 ? "\(key)=\(values[0])" : "\(key) in (\(values.joined(separator: ",")))"
            case .isNotIn:
                values.count == 1 ? "\(key)!=\(values[0])" : "\(key) notin (\(values.joined(separator: ",")))"
            case .exists: key
            case .doesNotExist: "!\(key)"
            case .isGreater: "\(key)>\(values.first ?? "")"
            case .isLess: "\(key)<\(values.first ?? "")"
            }
        }
    }

    public var requirements: [Requirement]

    /// Every object matches a selector without requirements.
    public init(requirements: [Requirement] = []) { self.requirements = requirements }

    public init(matching labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map {
            Requirement(key: $0.key, operation: .isIn, values: [$0.value])
        }
    }

    /// Reads the selector of a manifest; nil and an empty object select everything.
    public init(_ value: JSONValue?) {
        self.init(matching: KubeObject.strings(value?["matchLabels"]))
        for expression in value?["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string,
                let operation = expression["operator"]?.string.flatMap(Operator.init(rawValue:))
            else { continue }
            let values = expression["values"]?.array?.compactMap(\.string) ?? []
            requirements.append(Requirement(key: key, operation: operation, values: values))
        }
    }

    public func matches(_ labels: [String: String]) -> Bool { requirements.allSatisfy { $0.isMet(by: labels) } }

    /// The same for labels as an object carries them; nil has none.
    public func matches(_ labels: JSONObject?) -> Bool {
        requirements.allSatisfy { $0.isMet(byValue: labels?[$0.key]?.string) }
    }

    public var isEmpty: Bool { requirements.isEmpty }

    public var text: String { requirements.map(\.text).joined(separator: ",") }

    /// Reads the text of a query.
    public init(parsing text: String) throws(SelectorError) {
        var parser = LabelSelectorParser(text)
        requirements = try parser.parse()
    }
}
