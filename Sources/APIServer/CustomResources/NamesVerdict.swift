import KubeModel

/// Which names a definition gets: those that no other definition of its group has.
///
/// Source: the naming and establishing controllers of apiextensions-apiserver.
struct NamesVerdict {
    /// The status that the definition is to have; nil when it has it.
    let status: JSONValue?

    init(_ definition: CustomResourceDefinition, others: [CustomResourceDefinition], now: Timestamp) {
        let group = others.filter { $0.group == definition.group }.map(\.acceptedNames)
        let resources = Set(group.flatMap { [$0.plural, $0.singular] + $0.shortNames })
        let kinds = Set(group.flatMap { [$0.kind, $0.listKind] })
        let wanted = definition.names
        var names = definition.acceptedNames
        var conflict: (reason: String, message: String)?

        func take(_ path: WritableKeyPath<CustomResourceDefinition.Names, String>, _ used: Set<String>, _ what: String)
        {
            let name = wanted[keyPath: path]
            if name != names[keyPath: path], used.contains(name) {
                conflict = ("\(what)Conflict", "\"\(name)\" is already in use")
            } else {
                names[keyPath: path] = name
            }
        }
        take(\.plural, resources, "Plural")
        take(\.singular, resources, "Singular")
        let taken = wanted.shortNames.filter { !names.shortNames.contains($0) && resources.contains($0) }
        if taken.isEmpty {
            names.shortNames = wanted.shortNames
        } else {
            let messages = taken.map { "\"\($0)\" is already in use" }
            conflict = (
                "ShortNamesConflict", messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
            )
        }
        take(\.kind, kinds, "Kind")
        take(\.listKind, kinds, "ListKind")
        names.categories = wanted.categories

        var object = definition.object
        object.value[["status", "acceptedNames"]] = names.value
        if let conflict {
            object.setCondition("NamesAccepted", "False", conflict.reason, conflict.message, now: now)
        } else {
            object.setCondition("NamesAccepted", "True", "NoConflicts", "no conflicts found", now: now)
        }
        if definition.isTrue("Established") {
            // Once its objects can be reached they stay so, whatever names it asks for later.
        } else if conflict == nil {
            object.setCondition(
                "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now: now)
        } else {
            object.setCondition("Established", "False", "NotAccepted", "not all names are accepted", now: now)
        }
        let status = Self.ordered(object.value["status"] ?? [:])
        // Spelled out: in a conditional expression, nil would be the JSON value null.
        if status == definition.object.value["status"] { self.status = nil } else { self.status = status }
    }

    private static func ordered(_ status: JSONValue) -> JSONValue {
        var value: JSONValue = ["conditions": status["conditions"] ?? []]
        value["acceptedNames"] = status["acceptedNames"]
        value["storedVersions"] = status["storedVersions"]
        return value
    }
}
