/// Reads an expression by the grammar of `doc/langdef.md` of cel-spec; macros are expanded on the way.
struct Parser {
    /// A place where the text stops being an expression.
    struct Stop: Error {
        let problem: Problem
    }

    /// How deep an expression may be nested.
    static let depthMax = 250
    /// How long an expression may be, in code points.
    static let lengthMax = 100_000

    private let tokens: [Token]
    private var index = 0
    private var nextID = 0
    private var depth = 0

    static func parse(_ source: SourceText) throws(CompilationError) -> (root: Expression, count: Int) {
        guard source.scalars.count <= lengthMax else {
            let message = "expression code point size exceeds limit: size: \(source.scalars.count), limit \(lengthMax)"
            throw CompilationError([Problem(offset: 0, message: message)], in: SourceText(""))
        }
        var lexer = Lexer(source)
        var parser = Parser(tokens: lexer.tokens())
        let root: Expression
        do throws(Stop) {
            root = try parser.whole()
        } catch {
            throw CompilationError(lexer.problems + [error.problem], in: source)
        }
        guard lexer.problems.isEmpty else { throw CompilationError(lexer.problems, in: source) }
        return (root, parser.nextID)
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Nodes

    mutating func make(_ offset: Int, _ node: Expression.Node) -> Expression {
        defer { nextID += 1 }
        return Expression(id: nextID, offset: offset, node: node)
    }

    mutating func call(_ offset: Int, _ function: String, _ arguments: Expression...) -> Expression {
        make(offset, .call(function: function, target: nil, arguments: arguments))
    }

    // MARK: Tokens

    private var current: Token { tokens[index] }
    private var following: Token { tokens[min(index + 1, tokens.count - 1)] }

    private mutating func take() -> Token {
        defer { if index < tokens.count - 1 { index += 1 } }
        return tokens[index]
    }

    private mutating func take(_ sign: String) -> Token? { current.isSign(sign) ? take() : nil }

    private mutating func expect(_ sign: String) throws(Stop) -> Token {
        if let token = take(sign) { return token }
        let found = "'\(current.text)'"
        throw stop(
            current.kind == .end ? "missing '\(sign)' at \(found)" : "mismatched input \(found) expecting '\(sign)'")
    }

    private func stop(_ message: String) -> Stop {
        Stop(problem: Problem(offset: current.offset, message: "Syntax error: \(message)"))
    }

    /// Guards the recursion: no text is nested so deep that the stack ends.
    private mutating func nested<T>(_ body: (inout Parser) throws(Stop) -> T) throws(Stop) -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else {
            throw Stop(
                problem: Problem(offset: 0, message: "expression recursion limit exceeded: \(Self.depthMax)"))
        }
        return try body(&self)
    }

    // MARK: Operators

    private mutating func whole() throws(Stop) -> Expression {
        let root = try expression()
        guard current.kind == .end else {
            let word = following.kind == .end ? "extraneous" : "mismatched"
            throw stop("\(word) input '\(current.text)' expecting <EOF>")
        }
        return root
    }

    private mutating func expression() throws(Stop) -> Expression {
        try nested { parser throws(Stop) in
            let condition = try parser.chain("||", Operator.or) { parser throws(Stop) in
                try parser.chain("&&", Operator.and) { parser throws(Stop) in try parser.binary(0) }
            }
            guard let mark = parser.take("?") else { return condition }
            let yes = try parser.chain("||", Operator.or) { parser throws(Stop) in
                try parser.chain("&&", Operator.and) { parser throws(Stop) in try parser.binary(0) }
            }
            _ = try parser.expect(":")
            let no = try parser.expression()
            return parser.call(mark.offset, Operator.conditional, condition, yes, no)
        }
    }

    /// `a || b || c`, as a balanced tree, so that long conditions are not deep.
    private mutating func chain(
        _ sign: String, _ function: String, _ term: (inout Parser) throws(Stop) -> Expression
    ) throws(Stop) -> Expression {
        var terms = [try term(&self)]
        var offsets: [Int] = []
        while let token = take(sign) {
            offsets.append(token.offset)
            terms.append(try term(&self))
        }
        return balanced(terms[...], offsets[...], function)
    }

    private mutating func balanced(
        _ terms: ArraySlice<Expression>, _ offsets: ArraySlice<Int>, _ function: String
    ) -> Expression {
        guard terms.count > 1 else { return terms[terms.startIndex] }
        let middle = offsets.startIndex + (offsets.count - 1) / 2
        let split = terms.startIndex + (middle - offsets.startIndex) + 1
        let left = balanced(terms[..<split], offsets[..<middle], function)
        let right = balanced(terms[split...], offsets[(middle + 1)...], function)
        return call(offsets[middle], function, left, right)
    }

    private static let levels: [[String: String]] = [
        [
            "<": Operator.less, "<=": Operator.lessEquals, ">": Operator.greater, ">=": Operator.greaterEquals,
            "==": Operator.equals, "!=": Operator.notEquals, "in": Operator.isIn,
        ],
        ["+": Operator.add, "-": Operator.subtract],
        ["*": Operator.multiply, "/": Operator.divide, "%": Operator.modulo],
    ]

    private mutating func binary(_ level: Int) throws(Stop) -> Expression {
        guard level < Self.levels.count else { return try unary() }
        var left = try binary(level + 1)
        let outerDepth = depth
        defer { depth = outerDepth }
        while current.kind == .sign, let function = Self.levels[level][current.text] {
            let token = take()
            let right = try binary(level + 1)
            left = call(token.offset, function, left, right)
            // Every operator puts what stands left of it one level deeper.
            depth += 1
            guard depth <= Self.depthMax else { return try nested { _ in left } }
        }
        return left
    }

    private mutating func unary() throws(Stop) -> Expression {
        if current.isSign("!") {
            let first = current.offset
            var count = 0
            while take("!") != nil { count += 1 }
            let operand = try member()
            return count % 2 == 0 ? operand : call(first, Operator.not, operand)
        }
        guard current.isSign("-") else { return try member() }
        let first = current.offset
        var count = 0
        while current.isSign("-"), !following.isNumber {
            _ = take()
            count += 1
        }
        let operand = try member()
        return count % 2 == 0 ? operand : call(first, Operator.negate, operand)
    }

    // MARK: Members

    private mutating func member() throws(Stop) -> Expression {
        var operand = try primary()
        let outerDepth = depth
        defer { depth = outerDepth }
        while true {
            depth += 1
            guard depth <= Self.depthMax else { return try nested { _ in operand } }
            if let dot = take(".") {
                let isOptional = take("?") != nil
                let name = try identifier()
                if !isOptional, let open = take("(") {
                    operand = try self.call(open, name.text, target: operand)
                } else if isOptional {
                    let field = make(name.offset, .literal(.string(name.text)))
                    operand = call(dot.offset, Operator.optionalSelect, operand, field)
                } else {
                    operand = make(dot.offset, .select(operand, field: name.text, isTest: false))
                }
            } else if let open = take("[") {
                let isOptional = take("?") != nil
                let index = try expression()
                _ = try expect("]")
                operand = call(open.offset, isOptional ? Operator.optionalIndex : Operator.index, operand, index)
            } else {
                return operand
            }
        }
    }

    private mutating func identifier() throws(Stop) -> Token {
        guard current.kind == .identifier else {
            let word = current.kind == .end ? "no viable alternative at" : "mismatched"
            throw stop("\(word) input '\(current.text)' expecting IDENTIFIER")
        }
        return take()
    }

    private mutating func call(_ open: Token, _ name: String, target: Expression?) throws(Stop) -> Expression {
        let arguments = try list(until: ")") { parser throws(Stop) in try parser.expression() }
        if let expanded = try expandMacro(name, target, arguments, at: open.offset) { return expanded }
        return make(open.offset, .call(function: name, target: target, arguments: arguments))
    }

    /// Elements with commas between them, and one after the last where `allowsTrailingComma`.
    private mutating func list<T>(
        until close: String, allowsTrailingComma: Bool = false, _ element: (inout Parser) throws(Stop) -> T
    ) throws(Stop) -> [T] {
        var elements: [T] = []
        if take(close) != nil { return [] }
        while true {
            elements.append(try element(&self))
            guard take(",") != nil else { break }
            if allowsTrailingComma, current.isSign(close) { break }
        }
        _ = try expect(close)
        return elements
    }

    private static let reserved: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private mutating func primary() throws(Stop) -> Expression {
        if let literal = try literal() { return literal }
        let token = current
        if token.kind == .identifier || (token.isSign(".") && following.kind == .identifier) {
            let hasDot = take(".") != nil
            let name = take()
            if current.isSign("{") || isMessage { return try message(name) }
            guard !Self.reserved.contains(name.text) else {
                throw Stop(problem: Problem(offset: name.offset, message: "reserved identifier: \(name.text)"))
            }
            if let open = take("(") { return try call(open, name.text, target: nil) }
            return make(token.offset, .identifier(hasDot ? "." + name.text : name.text))
        }
        if take("(") != nil {
            let inner = try expression()
            _ = try expect(")")
            return inner
        }
        if take("[") != nil {
            let elements = try list(until: "]", allowsTrailingComma: true) { parser throws(Stop) in
                let isOptional = parser.take("?") != nil
                return Expression.Element(value: try parser.expression(), isOptional: isOptional)
            }
            return make(token.offset, .list(elements))
        }
        if take("{") != nil {
            let entries = try list(until: "}", allowsTrailingComma: true) { parser throws(Stop) in
                let isOptional = parser.take("?") != nil
                let key = try parser.expression()
                _ = try parser.expect(":")
                return Expression.Entry(key: key, value: try parser.expression(), isOptional: isOptional)
            }
            return make(token.offset, .map(entries))
        }
        let isExtra = token.kind != .end && following.startsPrimary
        throw stop(
            "\(isExtra ? "extraneous" : "mismatched") input '\(token.text)' expecting {'[', '{', '(', '.', '-', '!', "
                + "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}")
    }

    /// Whether the name that was begun is that of a message: `a.b.C{`.
    private var isMessage: Bool {
        var next = index
        while next + 1 < tokens.count, tokens[next].isSign("."), tokens[next + 1].kind == .identifier { next += 2 }
        return next > index && tokens[next].isSign("{")
    }

    private mutating func message(_ first: Token) throws(Stop) -> Expression {
        var name = first.text
        while take(".") != nil { name += "." + take().text }
        let open = try expect("{")
        _ = try list(until: "}", allowsTrailingComma: true) { parser throws(Stop) in
            _ = parser.take("?")
            _ = try parser.identifier()
            _ = try parser.expect(":")
            return try parser.expression()
        }
        return make(open.offset, .message(name: name))
    }

    // MARK: Literals

    private mutating func literal() throws(Stop) -> Expression? {
        let first = current
        let isNegative = first.isSign("-") && following.isNumber
        let token = isNegative ? following : first
        guard let value = try value(of: token, isNegative: isNegative) else { return nil }
        if isNegative { _ = take() }
        _ = take()
        return make(first.offset, .literal(value))
    }

    private func value(of token: Token, isNegative: Bool) throws(Stop) -> Value? {
        switch token.kind {
        case .int(let value): return .int(isNegative ? -value : value)
        case .uint(let value) where !isNegative: return .uint(value)
        case .double(let value): return .double(isNegative ? -value : value)
        case .badNumber(let type):
            let isHex = token.text.hasPrefix("0x") || token.text.hasPrefix("0X")
            let digits = isHex ? token.text.dropFirst(2) : token.text[...]
            if isNegative, type == "int", let value = Int64("-" + digits, radix: isHex ? 16 : 10) {
                return .int(value)
            }
            throw Stop(problem: Problem(offset: token.offset, message: "invalid \(type) literal"))
        case .string(let text): return .string(text)
        case .bytes(let bytes): return .bytes(bytes)
        case .sign:
            switch token.text {
            case "true": return .bool(true)
            case "false": return .bool(false)
            case "null": return .null
            default: return nil
            }
        default: return nil
        }
    }
}

extension Token {
    fileprivate var isNumber: Bool {
        switch kind {
        case .int, .badNumber, .double: true
        default: false
        }
    }

    fileprivate var startsPrimary: Bool {
        switch kind {
        case .end: false
        case .sign: ["[", "{", "(", ".", "-", "!", "true", "false", "null"].contains(text)
        default: true
        }
    }
}
