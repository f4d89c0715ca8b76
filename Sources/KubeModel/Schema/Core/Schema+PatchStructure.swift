extension Schema: PatchStructure {
    public func member(_ name: String) -> (any PatchStructure)? {
        let node = resolved
        return switch node.shape {
        case .object: node.field(name)?.schema
        case .map(let value): value
        default: nil
        }
    }

    public var element: (any PatchStructure)? { elementSchema }

    public var patchMergeKey: String? { traits.patchMergeKey }

    public var patchStrategies: Set<String> { traits.patchStrategies }

    public var patchName: String { traits.definition.map(Schema.lastPart) ?? typeName }

    public var listMapKeys: [String] { traits.listMapKeys }
}
