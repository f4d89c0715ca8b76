/// What calls cost when they are made, in Kubernetes' units.
///
/// Source: cel-go, `interpreter/runtimecost.go`; Kubernetes, `apiserver/pkg/cel/library/cost.go`.
enum CallCost {
    static let select = 1
    static let list = 10
    static let map = 30
    /// What looking at one sign of a text costs.
    static let traversal = 0.1
    /// What one sign of a regular expression costs.
    static let pattern = 0.25
    static let structure = 40
    /// How many demands a selector can hold for each of its signs.
    static let requirements = 0.5

    private static func scaled(_ size: Int, _ factor: Double) -> Int { Int((Double(size) * factor).rounded(.up)) }

    /// What a call costs by its arguments.
    static func before(_ function: String, _ overload: String, _ arguments: [Value]) -> Int {
        guard let first = arguments.first else { return 1 }
        switch function {
        case "check": return 350_000
        case "fieldSelector", "labelSelector":
            guard arguments.count > 1 else { return 1 }
            let size = arguments[1].size
            return list + scaled(size, traversal) + scaled(size, requirements) * (list + structure)
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf": return walk(first)
        case "url", "lowerAscii", "upperAscii", "substring", "trim", "cidr", "isIP", "isCIDR", "quantity",
            "isQuantity", "startsWith", "endsWith", "strings.quote", "format", "bytes", "validate":
            return scaled(first.size, traversal)
        case "string": return first.elements == nil && overload != "bytes_to_string" ? 1 : scaled(first.size, traversal)
        case "ip": return overload == "cidr_ip" ? 1 : scaled(first.size, traversal)
        case "replace", "split", "ip.isCanonical": return scaled(first.size, 2 * traversal)
        case "join": return 0
        case "find", "findAll", "matches":
            guard arguments.count > 1 else { return 1 }
            return scaled(first.size + 1, traversal) * scaled(arguments[1].size, pattern)
        case "contains":
            guard arguments.count > 1 else { return 1 }
            return scaled(first.size, traversal) * scaled(arguments[1].size, traversal)
        case "containsIP", "containsCIDR":
            guard arguments.count > 1 else { return 1 }
            let parsing = arguments[1].string == nil ? 0 : scaled(arguments[1].size, traversal)
            let mask = function == "containsCIDR" ? scaled(first.size, traversal) + 1 : 0
            return scaled(2 * first.size, traversal) + parsing + mask
        case "sets.contains", "sets.intersects": return product(arguments)
        case "sets.equivalent": return 2 * product(arguments)
        case Operator.isIn: return arguments.count > 1 && arguments[1].elements != nil ? arguments[1].size : 1
        case Operator.equals, Operator.notEquals, Operator.less, Operator.lessEquals, Operator.greater,
            Operator.greaterEquals:
            guard arguments.count > 1 else { return 1 }
            return scaled(min(first.size, arguments[1].size), traversal)
        case Operator.add:
            guard arguments.count > 1, first.string != nil || overload == "add_bytes" else { return 1 }
            return scaled(first.size + arguments[1].size, traversal)
        default: return 1
        }
    }

    /// What a call costs by its result.
    static func after(_ function: String, _ result: Value) -> Int {
        function == "join" ? scaled(result.size, 2 * traversal) : 0
    }

    private static func product(_ arguments: [Value]) -> Int {
        guard arguments.count > 1 else { return 1 }
        return 1 + arguments[0].size.multipliedReportingOverflow(by: arguments[1].size).partialValue
    }

    /// The cost of looking at everything in a value once.
    private static func walk(_ value: Value) -> Int {
        switch value {
        case .string, .bytes: Int(Double(value.size) * traversal)
        case .list(let list): list.elements.reduce(0) { $0 + walk($1) }
        case .map(let map): zip(map.keys, map.values).reduce(0) { $0 + walk($1.0) + walk($1.1) }
        default: 1
        }
    }
}
