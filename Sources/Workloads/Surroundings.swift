import Glibc

/// What a program in a pod knows of where it runs: its environment, and the pod's name.
struct Surroundings: Sendable {
    let variables: [String: String]

    /// Nil for what is not set, and for what is empty.
    subscript(name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// The pod's name: its host name.
    var pod: String { self["HOSTNAME"] ?? Self.hostName() }

    /// The version that the image's tag says.
    var version: String { self["APP_VERSION"] ?? "1.0" }

    /// The port to listen on; 0 takes any free one.
    func port(_ usual: UInt16) -> UInt16 {
        guard let text = self["PORT"] else { return usual }
        guard let port = UInt16(text) else {
            Workloads.fail("PORT is '\(text)', which is not a port.\nhint: Use 1 to 65535.", code: 78)
        }
        return port
    }

    /// A number from the environment, within a range; ends the program with a sentence when it is none.
    func number(_ name: String, _ usual: Double, in range: ClosedRange<Double>) -> Double {
        guard let text = self[name] else { return usual }
        guard let value = Double(text), range.contains(value) else {
            let bounds = "\(Int(range.lowerBound)) to \(Int(range.upperBound))"
            Workloads.fail("\(name) is '\(text)', which is not a number from \(bounds).", code: 78)
        }
        return value
    }

    /// Whether a switch is on: anything but empty, `0`, `false` and `no`.
    func isOn(_ name: String) -> Bool {
        guard let text = self[name]?.lowercased() else { return false }
        return !["0", "false", "no", "off"].contains(text)
    }

    static func ofThisProcess() -> Surroundings {
        var variables: [String: String] = [:]
        var cursor = environ
        while let entry = cursor.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            cursor += 1
        }
        return Surroundings(variables: variables)
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
