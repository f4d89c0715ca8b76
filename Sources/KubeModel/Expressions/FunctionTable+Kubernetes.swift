import CEL

extension FunctionTable {
    /// What expressions in Kubernetes 1.32 can call.
    static let kubernetes: FunctionTable = {
        var table = FunctionTable.base
        table.replaceTimeFunctions { name, instant in TimeZoneRules.named(name)?.offset(at: instant.seconds) }
        table.add(
            QuantityFunctions.all + AddressFunctions.all + URLFunctions.all + FormatFunctions.all
                + AuthorizerFunctions.all)
        return table
    }()
}

/// The bounds of Kubernetes for the cost of expressions (`apiserver/pkg/apis/cel/config.go`).
public enum ExpressionBudget {
    /// What one evaluation may cost.
    public static let perCall = 1_000_000
    /// What all rules together may cost for one object.
    public static let perObject = 10_000_000
    /// What all conditions of one policy or webhook may cost for one request.
    public static let perMatch = perObject / 4
    /// The largest text that an expression may make for a message, in bytes.
    public static let messageBytesMax = 5 * 1024
}
