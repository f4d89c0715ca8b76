/// A CustomResourceDefinition as code reads it, and the kinds that it makes.
public struct CustomResourceDefinition: Sendable {
    public let object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public static let cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io"

    private var spec: JSONValue { object.value["spec"] ?? [:] }
    public var group: String { spec["group"]?.string ?? "" }
    public var isNamespaced: Bool { spec["scope"] != "Cluster" }
    public var versions: [JSONValue] { spec["versions"]?.array ?? [] }
    public var names: Names { Names(spec["names"]) }
    public var acceptedNames: Names { Names(object.value[["status", "acceptedNames"]]) }

    /// The name of the version in which new objects are stored.
    public var storageVersion: String { versions.first { $0["storage"] == true }?["name"]?.string ?? "" }

    public func condition(_ type: String) -> JSONValue? {
        object.value[["status", "conditions"]]?.array?.first { $0["type"]?.string == type }
    }

    public func isTrue(_ condition: String) -> Bool { self.condition(condition)?["status"] == "True" }

    /// Whether its objects can be reached.
    public var isServed: Bool { isTrue("NamesAccepted") || isTrue("Established") }

    public struct Names: Sendable, Hashable {
        public var plural: String
        public var singular: String
        public var kind: String
        public var listKind: String
        public var shortNames: [String]
        public var categories: [String]

        public init(_ value: JSONValue?) {
            func list(_ key: String) -> [String] { (value?[key]?.array ?? []).compactMap(\.string) }
            plural = value?["plural"]?.string ?? ""
            singular = value?["singular"]?.string ?? ""
            kind = value?["kind"]?.string ?? ""
            listKind = value?["listKind"]?.string ?? ""
            shortNames = list("shortNames")
            categories = list("categories")
        }

        /// As `status.acceptedNames` has them; kind and plural are always written.
        public var value: JSONValue {
            var value: JSONValue = ["plural": .string(plural)]
            if !singular.isEmpty { value["singular"] = .string(singular) }
            if !shortNames.isEmpty { value["shortNames"] = .array(shortNames.map(JSONValue.string)) }
            value["kind"] = .string(kind)
            if !listKind.isEmpty { value["listKind"] = .string(listKind) }
            if !categories.isEmpty { value["categories"] = .array(categories.map(JSONValue.string)) }
            return value
        }
    }

    // MARK: Kinds

    /// The kinds that are served: one for each served version, under the names that were accepted.
    public var kinds: [KindSchema] {
        guard isServed else { return [] }
        return versions.filter { $0["served"] == true }.map(kind)
    }

    func resource(_ version: String) -> ResourceType {
        let names = acceptedNames
        return ResourceType(
            group: group, version: version, kind: names.kind, plural: names.plural, isNamespaced: isNamespaced)
    }

    private static let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]

    private func kind(_ version: JSONValue) -> KindSchema {
        let resource = resource(version["name"]?.string ?? "")
        let stored = self.resource(storageVersion)
        let names = acceptedNames
        let schema = JSONSchema(version[["schema", "openAPIV3Schema"]] ?? [:])
        let scale = version[["subresources", "scale"]]
        let custom = CustomResourceType(schema, scale: scale.map(Self.scale), conversion: conversion)
        let definition = (group.split(separator: ".").reversed() + [resource.version[...], resource.kind[...]])
            .joined(separator: ".")
        return KindSchema(
            resource, singular: names.singular, listKind: names.listKind, shortNames: names.shortNames,
            categories: names.categories, root: schema.rootTypes(definition: definition, kind: resource.kind),
            subresources: ["status", "scale"].filter { version[["subresources", $0]] != nil },
            columns: Self.columns(version), verbs: Self.verbs,
            selectableFields: Set(Self.selectableFields(version)), scale: scale.map(Self.paths),
            storedForm: StoredForm(
                stored, toStored: { $0.value["apiVersion"] = .string(stored.apiVersion) },
                toServed: { custom.serve(&$0, as: resource) }),
            custom: custom,
            behavior: KindBehavior {
                $0.countsGenerations = true
                if let warning = Self.deprecation(version, resource) { $0.requestWarning = warning }
            })
    }

    private var conversion: ConversionWebhook? {
        guard spec[["conversion", "strategy"]] == "Webhook" else { return nil }
        return ConversionWebhook(definition: object.name, spec[["conversion", "webhook"]] ?? [:])
    }

    private static func deprecation(_ version: JSONValue, _ resource: ResourceType) -> String? {
        guard version["deprecated"] == true else { return nil }
        return version["deprecationWarning"]?.string ?? "\(resource.apiVersion) \(resource.kind) is deprecated"
    }

    private static func selectableFields(_ version: JSONValue) -> [String] {
        (version["selectableFields"]?.array ?? []).compactMap { $0["jsonPath"]?.string }
            .map { String($0.drop { $0 == "." }) }
    }

    private static func scale(_ value: JSONValue) -> CustomResourceType.Scale {
        CustomResourceType.Scale(
            specReplicas: value["specReplicasPath"]?.string ?? "",
            statusReplicas: value["statusReplicasPath"]?.string ?? "",
            selector: value["labelSelectorPath"]?.string)
    }

    private static func paths(_ value: JSONValue) -> KindSchema.ScalePaths {
        func steps(_ key: String) -> [String]? {
            value[key]?.string.map { $0.split(separator: ".").map(String.init) }
        }
        return KindSchema.ScalePaths(
            specReplicas: steps("specReplicasPath") ?? ["spec", "replicas"],
            statusReplicas: steps("statusReplicasPath") ?? ["status", "replicas"],
            selector: steps("labelSelectorPath"))
    }

    private static func columns(_ version: JSONValue) -> [PrinterColumn] {
        let declared = version["additionalPrinterColumns"]?.array ?? []
        guard !declared.isEmpty else {
            return [.name, column("Age", "date", ".metadata.creationTimestamp", [:])]
        }
        return [.name]
            + declared.map { value in
                column(
                    value["name"]?.string ?? "", value["type"]?.string ?? "string",
                    value["jsonPath"]?.string ?? "", value)
            }
    }

    private static func column(_ name: String, _ type: String, _ path: String, _ value: JSONValue) -> PrinterColumn {
        let path = ColumnPath(path)
        return PrinterColumn(
            name: name, type: type, format: value["format"]?.string ?? "",
            description: value["description"]?.string
                ?? "What stands at the path in the object: a column of the definition.",
            priority: value["priority"]?.int ?? 0
        ) { object, now in path?.cell(object, type: type, now: now) ?? .null }
    }
}
