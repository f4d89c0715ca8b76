/// The place of a value in an object, written as Kubernetes does: `spec.containers[0].ports[1].name`, `spec.requests[cpu]`.
///
/// A path is a chain of steps; its text is made only when an error needs it.
public indirect enum FieldPath: Sendable, Hashable, CustomStringConvertible {
    case root
    case field(FieldPath, String)
    case index(FieldPath, Int)
    case key(FieldPath, String)

    public func child(_ names: String...) -> FieldPath { names.reduce(self) { .field($0, $1) } }

    public subscript(index: Int) -> FieldPath { .index(self, index) }
    public subscript(key: String) -> FieldPath { .key(self, key) }

    public init(_ names: String...) { self = names.reduce(.root) { .field($0, $1) } }

    public var description: String {
        switch self {
        case .root: ""
        case .field(.root, let name): name
        case .field(let parent, let name): "\(parent.description).\(name)"
        case .index(let parent, let index): "\(parent.description)[\(index)]"
        case .key(let parent, let key): "\(parent.description)[\(key)]"
        }
    }
}
