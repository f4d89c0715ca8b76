extension PrinterColumn {
    private static func containers(_ object: KubeObject) -> [JSONValue] {
        object.value[["spec", "template", "spec", "containers"]]?.array ?? []
    }

    /// Ready pods of the wished number, as `2/3`.
    static let readyReplicas = PrinterColumn.computed("Ready", "Ready pods of the wished number.") { object, _ in
        let ready = object.value[["status", "readyReplicas"]]?.int ?? 0
        return .string("\(ready)/\(object.value[["spec", "replicas"]]?.int ?? 0)")
    }

    /// The names of the template's containers.
    static let containers = PrinterColumn.wide("Containers", "Names of the containers in the template.") { object, _ in
        .string(containers(object).map { $0["name"]?.string ?? "" }.joined(separator: ","))
    }

    /// The images of the template's containers.
    static let images = PrinterColumn.wide("Images", "Images of the containers in the template.") { object, _ in
        .string(containers(object).map { $0["image"]?.string ?? "" }.joined(separator: ","))
    }

    /// The label selector as text.
    static let selector = PrinterColumn.wide("Selector", "The pods that belong to the object.") { object, _ in
        let selector = LabelSelector(object.value[["spec", "selector"]])
        return .string(selector.isEmpty ? "<none>" : selector.text)
    }
}
