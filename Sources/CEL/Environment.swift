/// What an expression may speak of: variables and functions.
public struct Environment: Sendable {
    public var variables: [String: Declaration]
    public var functions: FunctionTable

    public init(variables: [String: Declaration] = [:], functions: FunctionTable) {
        self.variables = variables
        self.functions = functions
    }

    /// The types that can be named in an expression.
    static let typeNames: [String: ValueType] = [
        "bool": .bool, "int": .int, "uint": .uint, "double": .double, "string": .string, "bytes": .bytes,
        "list": .list(.dyn), "map": .map(.dyn, .dyn), "null_type": .null, "type": .type(.dyn),
        "google.protobuf.Timestamp": .timestamp, "google.protobuf.Duration": .duration,
        "optional_type": .optional(.dyn),
    ]

    /// Reads and checks an expression.
    ///
    /// - Throws: `CompilationError` with every mistake that was found.
    public func compile(_ text: String) throws(CompilationError) -> Program {
        let source = SourceText(text)
        let (root, count) = try Parser.parse(source)
        let checked = try Checker.check(root, count: count, in: self, source: source)
        let literals = LiteralCheck.problems(in: root, checked)
        guard literals.isEmpty else { throw CompilationError(literals, in: source) }
        return Program(root: root, checked: checked, environment: self)
    }
}
