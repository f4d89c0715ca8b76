/// A column of `kubectl get`.
public struct PrinterColumn: Sendable {
    /// Makes the cell of an object at a moment.
    public typealias Cell = @Sendable (_ object: KubeObject, _ now: Timestamp) -> JSONValue

    public let name: String
    /// `string`, `integer`, `number`, `boolean` or `date`.
    public let type: String
    /// `name` for the column that holds the object's name, otherwise empty.
    public let format: String
    public let description: String
    /// 0 for columns that are always shown, 1 for those of `-o wide`.
    public let priority: Int
    public let cell: Cell

    public init(
        name: String, type: String = "string", format: String = "", description: String = "", priority: Int = 0,
        cell: @escaping Cell
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.description = description
        self.priority = priority
        self.cell = cell
    }
}

extension PrinterColumn {
    /// The object's name.
    public static let name = PrinterColumn(
        name: "Name", format: "name", description: "The name of the object, unique in its namespace."
    ) { object, _ in .string(object.name) }

    /// The time since the object was created.
    public static let age = PrinterColumn(
        name: "Age", description: "How long ago the object was created."
    ) { object, now in .string(HumanDuration.since(object.creationTimestamp, now: now)) }

    /// The text, number or truth value at a path; what is absent is shown as `<none>` or another text.
    public static func value(
        _ name: String, type: String = "string", _ path: [String], absent: JSONValue = "<none>", priority: Int = 0,
        _ description: String
    ) -> PrinterColumn {
        PrinterColumn(name: name, type: type, description: description, priority: priority) { object, _ in
            let value = object.value[path]
            return JSONValue.isEmpty(value) ? absent : value ?? absent
        }
    }

    /// A number at a path; 0 if absent.
    public static func count(_ name: String, _ path: [String], _ description: String) -> PrinterColumn {
        value(name, type: "integer", path, absent: 0, description)
    }

    /// A cell that is computed.
    public static func computed(
        _ name: String, type: String = "string", priority: Int = 0, _ description: String, _ cell: @escaping Cell
    ) -> PrinterColumn {
        PrinterColumn(name: name, type: type, description: description, priority: priority, cell: cell)
    }

    /// A column of `-o wide`.
    public static func wide(_ name: String, _ description: String, _ cell: @escaping Cell) -> PrinterColumn {
        PrinterColumn(name: name, description: description, priority: 1, cell: cell)
    }
}
