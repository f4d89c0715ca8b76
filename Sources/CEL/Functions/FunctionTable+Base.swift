extension FunctionTable {
    /// What expressions can call wherever Kubernetes has them, save for what needs Kubernetes' own types.
    public static let base = FunctionTable(
        StandardFunctions.all + StringFunctions.all + ListFunctions.all + PatternFunctions.all)

    /// The functions of times, with the zones that somebody knows by name.
    ///
    /// `zones` gives the seconds that clocks are ahead of UTC at a time; nil for names that it does not know.
    public mutating func replaceTimeFunctions(
        zones: @escaping @Sendable (_ name: String, _ at: Instant) -> Int64?
    ) {
        replace(TimeFunctions.functions(zones: zones))
    }
}
