/// A function that expressions can call, with all its forms.
public struct Function: Sendable {
    public typealias Body = @Sendable ([Value]) throws(EvaluationError) -> Value

    public let name: String
    let overloads: [Overload]
    /// Takes every form that has no body of its own.
    let body: Body?

    /// One form of a function.
    public struct Overload: Sendable {
        let id: String
        /// Whether it is called as `target.name()`; the target is the first parameter then.
        let isMember: Bool
        let parameters: [ValueType]
        let result: ValueType
        let body: Body?

        /// `name(parameters…)`.
        public static func global(
            _ id: String, _ parameters: [ValueType], _ result: ValueType, _ body: Body? = nil
        ) -> Overload {
            Overload(id: id, isMember: false, parameters: parameters, result: result, body: body)
        }

        /// `first.name(rest…)`.
        public static func member(
            _ id: String, _ parameters: [ValueType], _ result: ValueType, _ body: Body? = nil
        ) -> Overload {
            Overload(id: id, isMember: true, parameters: parameters, result: result, body: body)
        }

        func admits(_ arguments: [Value]) -> Bool {
            parameters.count == arguments.count && zip(parameters, arguments).allSatisfy { $0.admits($1) }
        }
    }

    /// Whether some form has a body of its own.
    let hasOwnBodies: Bool

    public init(_ name: String, _ overloads: [Overload], body: Body? = nil) {
        self.name = name
        self.overloads = overloads
        self.body = body
        hasOwnBodies = overloads.contains { $0.body != nil }
    }

    /// What is to be called for some arguments; nil where no form takes them.
    func body(for arguments: [Value], isMember: Bool) -> Body? {
        if hasOwnBodies,
            let form = overloads.first(where: { $0.isMember == isMember && $0.body != nil && $0.admits(arguments) })
        {
            return form.body
        }
        return body
    }
}

/// The functions of an environment by their names.
public struct FunctionTable: Sendable {
    private var functions: [String: Function] = [:]

    public init(_ functions: [Function] = []) { add(functions) }

    /// Adds functions; one whose name is there adds its forms, which then need bodies of their own.
    public mutating func add(_ more: [Function]) {
        for function in more { functions[function.name, default: Function(function.name, [])].merge(function) }
    }

    /// Puts functions in the place of those with the same names.
    mutating func replace(_ others: [Function]) {
        for function in others { functions[function.name] = function }
    }

    subscript(name: String) -> Function? { functions[name] }
}

extension Function {
    fileprivate mutating func merge(_ other: Function) {
        self = overloads.isEmpty ? other : Function(name, overloads + other.overloads, body: body ?? other.body)
    }
}
