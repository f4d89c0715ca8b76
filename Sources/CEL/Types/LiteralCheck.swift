/// Literals that a function would always refuse are mistakes already when the expression is read.
enum LiteralCheck {
    static func problems(in root: Expression, _ checked: Checker.Result) -> [Problem] {
        var problems: [Problem] = []
        root.forEach { node in
            guard case .call(let function, let target, let arguments) = node.node, let last = arguments.last,
                case .literal(.string(let text)) = last.node
            else { return }
            let isRight =
                switch function {
                case "matches": (try? RegularExpression.cached(text)) != nil
                case "duration" where target == nil: DurationText.parse(text) != nil
                case "timestamp" where target == nil: Instant(parsing: text) != nil
                default: true
                }
            if !isRight { problems.append(Problem(offset: last.offset, message: "invalid \(function) argument")) }
        }
        return problems
    }
}
