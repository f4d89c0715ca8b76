import Glibc
import KubeModel

/// The configuration of an image: how it is run, and which layers it has.
///
/// The form is that of the OCI image specification, "Image Configuration". What is not understood is kept.
struct ImageConfig: Sendable, Hashable {
    var value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    /// The configuration of an image without layers, for this machine.
    init() {
        value = [
            "architecture": .string(Self.machine), "os": "linux", "config": [:],
            "rootfs": ["type": "layers", "diff_ids": []],
        ]
    }

    /// This machine's architecture as images name it.
    static let machine: String = {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        "unknown"
        #endif
    }()

    subscript(key: String) -> JSONValue? {
        get { value["config"]?[key] }
        set { value[["config", key]] = newValue }
    }

    private func texts(_ key: String) -> [String] { self[key]?.array?.compactMap(\.string) ?? [] }

    private mutating func set(_ key: String, _ texts: [String]?) {
        self[key] = texts.map { .array($0.map(JSONValue.string)) }
    }

    var entrypoint: [String] {
        get { texts("Entrypoint") }
        set { set("Entrypoint", newValue) }
    }
    var command: [String] {
        get { texts("Cmd") }
        set { set("Cmd", newValue) }
    }
    var environment: [String] {
        get { texts("Env") }
        set { set("Env", newValue) }
    }
    /// What runs shell forms of instructions.
    var shell: [String] {
        get { self["Shell"] == nil ? ["/bin/sh", "-c"] : texts("Shell") }
        set { set("Shell", newValue) }
    }
    var workingDirectory: String {
        get { self["WorkingDir"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "/" }
        set { self["WorkingDir"] = .string(newValue) }
    }
    var user: String {
        get { self["User"]?.string ?? "" }
        set { self["User"] = .string(newValue) }
    }
    var volumes: [String] { self["Volumes"]?.object.map { $0.map(\.key) } ?? [] }
    var ports: [String] { self["ExposedPorts"]?.object.map { $0.map(\.key) } ?? [] }

    /// A set, as the format writes it: an object with empty members.
    mutating func insert(_ member: String, into key: String) {
        var members = self[key] ?? [:]
        members[member] = [:]
        self[key] = members
    }

    /// The digests of the layers, unpacked, the lowest first.
    var layers: [Digest] {
        get { value[["rootfs", "diff_ids"]]?.array?.compactMap { $0.string.flatMap(Digest.init) } ?? [] }
        set { value[["rootfs", "diff_ids"]] = .array(newValue.map { .string($0.description) }) }
    }

    /// The reference of the built-in image whose system is below the layers; nil where the layers are all there is.
    var base: String? {
        get { value[["velocitylab", "base"]]?.string }
        set { value["velocitylab"] = newValue.map { ["base": .string($0)] } }
    }

    /// The number of the signal that asks the program to stop: `SIGQUIT`, `QUIT` or `3`.
    var stopSignal: Int32 { self["StopSignal"]?.string.flatMap(Self.signal) ?? SIGTERM }

    static func signal(_ text: String) -> Int32? {
        if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
        let name = text.uppercased()
        let known: [String: Int32] = [
            "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "KILL": SIGKILL, "USR1": SIGUSR1, "USR2": SIGUSR2,
            "TERM": SIGTERM, "WINCH": SIGWINCH, "CONT": SIGCONT, "STOP": SIGSTOP, "ABRT": SIGABRT, "ALRM": SIGALRM,
            "RTMIN+3": 37, "PWR": SIGPWR,
        ]
        return known[name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name]
    }
}
