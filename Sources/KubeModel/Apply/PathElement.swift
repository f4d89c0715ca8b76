/// One step of a path in a field set, in the form in which the set spells it: `f:spec`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
enum PathElement {
    static func field(_ name: String) -> String { "f:" + name }

    /// A plain value in a set.
    static func value(_ value: JSONValue) -> String { "v:" + value.text }

    /// An element of a list by its key members; their order does not matter.
    static func key(_ members: [(String, JSONValue)]) -> String {
        var bytes = Array("k:{".utf8)
        for (index, (name, value)) in members.sorted(by: { $0.0 < $1.0 }).enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONValue.string(name).encode(into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            value.encode(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The step as this server spells it, whatever spaces and order a client gave it.
    static func canonical(_ text: String) throws(FieldSetError) -> String {
        let rest = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "f:": return text
        case "v:": return value(try json(rest))
        case "k:":
            guard let members = try json(rest).object else { throw FieldSetError(message: "a key is an object") }
            return key(members.map { ($0.key, $0.value) })
        case "i:":
            guard let index = Int(rest) else { throw FieldSetError(message: "an index is a number") }
            return "i:\(index)"
        default: throw FieldSetError(message: "unknown path element type")
        }
    }

    private static func json(_ text: String) throws(FieldSetError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: text)
        } catch {
            throw FieldSetError(message: error.message)
        }
    }

    /// A path as messages show it: `.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]`.
    static func show(_ path: [String]) -> String { path.map(show).joined() }

    static func show(_ element: String) -> String {
        let rest = String(element.dropFirst(2))
        switch element.prefix(2) {
        case "f:": return "." + rest
        case "v:": return "[=\(rest)]"
        case "k:":
            let members = (try? JSONValue(parsing: rest))?.object ?? [:]
            return "[" + members.map { "\($0.key)=\($0.value.text)" }.joined(separator: ",") + "]"
        default: return "[\(rest)]"
        }
    }

    /// Members first, then elements by key, then plain values; numbers by size.
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (first, second) = (rank(left), rank(right))
        if first != second { return first < second }
        if first == 1 || first == 2, let mine = parsed(left), let theirs = parsed(right) {
            return order(mine, theirs) < 0
        }
        return left < right
    }

    private static func rank(_ element: String) -> Int {
        switch element.utf8.first {
        case UInt8(ascii: "f"): 0
        case UInt8(ascii: "k"): 1
        case UInt8(ascii: "v"): 2
        default: 3
        }
    }

    private static func parsed(_ element: String) -> JSONValue? {
        try? JSONValue(parsing: String(element.dropFirst(2)))
    }

    private static func order(_ left: JSONValue, _ right: JSONValue) -> Int {
        switch (left, right) {
        case (.object(let mine), .object(let theirs)):
            for (first, second) in zip(mine, theirs) {
                if first.key != second.key { return first.key < second.key ? -1 : 1 }
                let outcome = order(first.value, second.value)
                if outcome != 0 { return outcome }
            }
            return mine.count - theirs.count
        case (.int(let mine), .int(let theirs)): return mine < theirs ? -1 : mine == theirs ? 0 : 1
        case (.string(let mine), .string(let theirs)): return mine < theirs ? -1 : mine == theirs ? 0 : 1
        default: return left.text < right.text ? -1 : left.text == right.text ? 0 : 1
        }
    }
}
