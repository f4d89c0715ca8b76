/// The words in which rules complain.
extension [FieldError] {
    /// Text that breaks a syntax.
    mutating func complain(_ path: FieldPath, _ text: String, _ complaints: [String]) {
        for complaint in complaints { append(.invalid(path, .string(text), complaint)) }
    }

    /// Text that must be there, and in a syntax.
    mutating func require(_ path: FieldPath, _ text: String?, _ syntax: (String) -> [String] = { _ in [] }) {
        guard let text, !text.isEmpty else { return append(.required(path)) }
        complain(path, text, syntax(text))
    }

    /// Text that is in a syntax if it is there.
    mutating func allow(_ path: FieldPath, _ text: String?, _ syntax: (String) -> [String]) {
        if let text, !text.isEmpty { complain(path, text, syntax(text)) }
    }

    /// A number that is not below 0 if it is there.
    mutating func notNegative(_ path: FieldPath, _ number: Int?) {
        if let number, number < 0 {
            append(.invalid(path, JSONValue(number), "must be greater than or equal to 0"))
        }
    }

    /// A number in a range if it is there.
    mutating func inRange(_ path: FieldPath, _ number: Int?, _ range: ClosedRange<Int>) {
        guard let number, !range.contains(number) else { return }
        append(
            .invalid(
                path, JSONValue(number), "must be between \(range.lowerBound) and \(range.upperBound), inclusive"))
    }

    /// One of some texts if it is there.
    mutating func oneOf(_ path: FieldPath, _ text: String?, _ allowed: [String]) {
        if let text, !allowed.contains(text) { append(.notSupported(path, .string(text), allowed)) }
    }

    /// The number or the name of a port.
    mutating func port(_ path: FieldPath, _ port: JSONValue?) {
        if let name = port?.string { return complain(path, name, NameSyntax.portName(name)) }
        inRange(path, port?.int ?? 0, 1...65535)
    }

    /// A path within a directory: relative, and never upwards.
    mutating func descends(_ path: FieldPath, _ text: String) {
        if text.hasPrefix("/") { append(.invalid(path, .string(text), "must be a relative path")) }
        staysInside(path, text)
    }

    mutating func staysInside(_ path: FieldPath, _ text: String) {
        if text.split(separator: "/").contains("..") {
            append(.invalid(path, .string(text), "must not contain '..'"))
        }
    }

    /// A path that the kubelet can write below a mount: it keeps names that begin with two dots for itself.
    mutating func isFreePath(_ path: FieldPath, _ text: String) {
        descends(path, text)
        if text.hasPrefix(".."), !text.hasPrefix("../") {
            append(.invalid(path, .string(text), "must not start with '..'"))
        }
    }
}

extension JSONValue {
    /// The elements of a list member; none if it is absent.
    func list(_ name: String) -> [JSONValue] { self[name]?.array ?? [] }

    /// The texts of a list member.
    func texts(_ name: String) -> [String] { list(name).compactMap(\.string) }
}
