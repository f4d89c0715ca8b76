extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog([
        .configMap, .deployment,
    ])
}
