/// What one call can cost, and how large its result can be, by the sizes of its arguments.
struct CallEstimate {
    let cost: CostRange
    /// Nil where nothing is known but the type.
    let size: CostRange?

    init(
        _ function: String, _ types: [ValueType], _ sizes: [CostRange], elementSize: CostRange?, elementIsText: Bool
    ) {
        let traversal = CallCost.traversal
        let one = CostRange(1)
        let first = sizes.first ?? .zero
        let second = sizes.count > 1 ? sizes[1] : .zero
        var size: CostRange?
        switch function {
        case "check": cost = CostRange(350_000)
        case "fieldSelector", "labelSelector":
            let demands = second * CallCost.requirements * Double(CallCost.list + CallCost.structure)
            cost = CostRange(UInt64(CallCost.list)) + second * traversal + demands
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf":
            if case .list = types.first {
                let each = elementIsText ? one + (elementSize ?? .unlimited) * traversal : one
                cost = first * each
            } else {
                cost = first * traversal
            }
        case "url", "quantity", "isQuantity", "cidr", "isIP", "isCIDR", "ip", "strings.quote", "validate":
            cost = function == "ip" && types.first == .opaque("net.CIDR") ? one : first * traversal
        case "lowerAscii", "upperAscii", "substring", "trim":
            cost = first * traversal
            size = first
        case "replace":
            cost = first * (2 * traversal)
            size = Self.replaced(first, second, sizes.count > 2 ? sizes[2] : .zero)
        case "split", "ip.isCanonical":
            cost = first * (2 * traversal)
            if function == "split" { size = CostRange(0, first.most) }
        case "join":
            let gaps = CostRange(first.least > 0 ? first.least - 1 : 0, first.most > 0 ? first.most - 1 : 0)
            let joined = first * (elementSize ?? .unlimited) + (sizes.count > 1 ? second * gaps : .zero)
            cost = joined * traversal
            size = joined
        case "find", "findAll", "matches":
            cost = (first + one) * traversal * (second * CallCost.pattern)
            if function != "matches" { size = CostRange(0, first.most) }
        case "contains": cost = first * traversal * (second * traversal)
        case "startsWith", "endsWith": cost = second * traversal
        case "containsIP", "containsCIDR":
            let bytes = CostRange(4, 16)
            let compared = (bytes + bytes) * traversal
            let parsed = types.count > 1 && types[1] == .string ? second * traversal : .zero
            cost = compared + parsed + (function == "containsCIDR" ? bytes * traversal + one : .zero)
        case "sets.contains", "sets.intersects": cost = first * second + one
        case "sets.equivalent": cost = first * second * 2 + one
        case "format" where types.first == .string: cost = first * traversal
        case "bytes" where types.first == .string:
            cost = first * traversal
            size = first * 4
        case "string" where types.first == .bytes:
            cost = first * traversal
            size = CostRange(first.least / 4, first.most)
        case Operator.isIn:
            if types.count > 1, case .map = types[1] { cost = one } else { cost = second }
        case Operator.add where types.contains(.string) || types.contains(.bytes):
            size = first + second
            cost = (first + second) * traversal
        case Operator.add:
            cost = one
            if case .list = types.first { size = first + second }
        case Operator.equals, Operator.notEquals: cost = Self.comparison(first, second)
        case Operator.less, Operator.lessEquals, Operator.greater, Operator.greaterEquals:
            cost = types.contains(.string) || types.contains(.bytes) ? Self.comparison(first, second) : one
        default: cost = one
        }
        self.size = size
    }

    private static func comparison(_ left: CostRange, _ right: CostRange) -> CostRange {
        let most = min(left.most, right.most)
        return CostRange(most > 0 ? 1 : 0, most) * CallCost.traversal
    }

    private static func replaced(_ text: CostRange, _ old: CostRange, _ new: CostRange) -> CostRange {
        if old.least == 0 {
            let places = CostRange(text.least, text.most == .max ? .max : text.most + 1)
            return CostRange(0, (places * new + text).most)
        }
        if new.most <= old.least { return CostRange(0, text.most) }
        let places = CostRange(0, text.most / old.least + (text.most % old.least > 0 ? 1 : 0))
        return CostRange(0, (places * new).most)
    }
}
