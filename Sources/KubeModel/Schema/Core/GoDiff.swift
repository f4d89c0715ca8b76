/// The difference of two values, as messages of Kubernetes show it.
///
/// Kubernetes prints the difference of its own Go structures (`go-cmp`): the members that differ with `-` and `+`, two
/// members before and after them, and how many others there are. Types of which `GoStructure` knows the members are shown so;
/// of others the members are sorted by name.
enum GoDiff {
    static func text(_ old: JSONValue, _ new: JSONValue, type: String) -> String {
        var writer = GoDiffWriter()
        let structure = GoStructure.known[type]
        let (before, after) = (structure?.arranged(old) ?? old, structure?.arranged(new) ?? new)
        writer.line(" ", 0, "\(type){")
        writer.members(before, after, structure ?? GoStructure(membersOf: before, after), depth: 1)
        writer.line(" ", 0, "}")
        return writer.text
    }
}

/// The members of a Go structure in their order, and how an absent one is shown.
struct GoStructure {
    struct Member {
        let name: String
        let json: String
        /// `nil` for pointers, lists and maps; `""`, `0` or `false` for plain values; `{}` for structures.
        let zero: String
        var isPointer = false
        /// The type of the elements of a list.
        var element: String?
    }

    let members: [Member]

    /// Reads `Name`, `Name?` for a pointer, `Name[]` for a list or map, `Name{}` for a structure, `Name=false`.
    init(_ text: String, elements: [String: String] = [:]) {
        members = text.split(separator: " ").map { word in
            let name = String(word.prefix { $0.isLetter })
            let rest = word.dropFirst(name.count)
            let zero =
                switch rest {
                case "?", "[]": "nil"
                case "{}": "{}"
                case "=false": "false"
                default: "\"\""
                }
            return Member(
                name: name, json: Self.json(name), zero: zero, isPointer: rest == "?", element: elements[name])
        }
    }

    /// The members that two values have, by name.
    init(membersOf old: JSONValue, _ new: JSONValue) {
        let names = Set((old.object ?? [:]).keys).union((new.object ?? [:]).keys)
        members = names.sorted().map { Member(name: Self.goName($0), json: $0, zero: "nil") }
    }

    /// Words that Go writes in capitals.
    private static let capitals: [String: String] = [
        "dnsPolicy": "DNSPolicy", "dnsConfig": "DNSConfig", "os": "OS", "tty": "TTY", "ip": "IP", "uid": "UID",
        "setHostnameAsFQDN": "SetHostnameAsFQDN", "hostPID": "HostPID", "hostIPC": "HostIPC", "httpGet": "HTTPGet",
        "tcpSocket": "TCPSocket", "hostIP": "HostIP",
    ]

    private static func json(_ name: String) -> String {
        capitals.first { $0.value == name }?.key ?? name.prefix(1).lowercased() + name.dropFirst()
    }

    static func goName(_ json: String) -> String {
        capitals[json] ?? json.prefix(1).uppercased() + json.dropFirst()
    }

    static let known: [String: GoStructure] = [
        "core.PodSpec": GoStructure(
            "Volumes[] InitContainers[] Containers[] EphemeralContainers[] RestartPolicy "
                + "TerminationGracePeriodSeconds? ActiveDeadlineSeconds? DNSPolicy NodeSelector[] ServiceAccountName "
                + "AutomountServiceAccountToken? NodeName SecurityContext? ImagePullSecrets[] Hostname Subdomain "
                + "SetHostnameAsFQDN? Affinity? SchedulerName Tolerations[] HostAliases[] PriorityClassName Priority? "
                + "PreemptionPolicy? DNSConfig? ReadinessGates[] RuntimeClassName? Overhead[] EnableServiceLinks? "
                + "TopologySpreadConstraints[] OS? SchedulingGates[] ResourceClaims[] Resources?",
            elements: ["Containers": "core.Container", "InitContainers": "core.Container"]),
        "core.Container": container,
        "core.EphemeralContainer": container,
    ]

    private static let container = GoStructure(
        "Name Image Command[] Args[] WorkingDir Ports[] EnvFrom[] Env[] Resources{} ResizePolicy[] RestartPolicy? "
            + "VolumeMounts[] VolumeDevices[] LivenessProbe? ReadinessProbe? StartupProbe? Lifecycle? "
            + "TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext? Stdin=false "
            + "StdinOnce=false TTY=false")

    /// The value as Kubernetes holds it: what a pod shares with its node is part of the security context.
    func arranged(_ value: JSONValue) -> JSONValue {
        guard members.contains(where: { $0.json == "schedulerName" }) else { return value }
        var value = value
        value["serviceAccount"] = nil
        for name in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
            guard let member = value[name] else { continue }
            value[["securityContext", name]] = member
            value[name] = nil
        }
        return value
    }

    /// A value in one line.
    static func text(_ value: JSONValue?, _ member: Member) -> String {
        guard let value, !(JSONValue.isEmpty(value) && member.zero == "nil" && !member.isPointer) else {
            return member.zero
        }
        return (member.isPointer ? "&" : "") + text(value)
    }

    static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): GoText.quote(text)
        case .array(let elements): "{\(elements.map(text).joined(separator: ", "))}"
        case .object(let members): "{\(members.map { "\(goName($0.key)): \(text($0.value))" }.joined(separator: ", "))}"
        default: value.text
        }
    }
}

/// Writes a difference line by line.
private struct GoDiffWriter {
    private var lines: [String] = []
    /// Members of one line each that stand one below the other: their values are aligned.
    private var aligned: [(mark: String, depth: Int, name: String, value: String)] = []

    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func line(_ mark: String, _ depth: Int, _ content: String) {
        flush()
        lines.append("\(mark) \(String(repeating: "\t", count: depth))\(content)")
    }

    private mutating func flush() {
        let width = aligned.map(\.name.count).max() ?? 0
        for entry in aligned {
            let padding = String(repeating: " ", count: width - entry.name.count + 1)
            let indent = String(repeating: "\t", count: entry.depth)
            lines.append("\(entry.mark) \(indent)\(entry.name):\(padding)\(entry.value),")
        }
        aligned = []
    }

    private mutating func member(_ mark: String, _ depth: Int, _ name: String, _ value: String) {
        aligned.append((mark, depth, name, value))
    }

    /// Which of `count` entries are shown when some of them differ: these, and two before and after.
    private static func shown(_ differs: [Bool]) -> [Bool] {
        differs.indices.map { index in
            differs[max(0, index - 2)...min(differs.count - 1, index + 2)].contains(true)
        }
    }

    private mutating func skip(_ count: Int, _ depth: Int, _ what: String) {
        if count > 0 { line(" ", depth, "... // \(count) identical \(what)\(count == 1 ? "" : "s")") }
    }

    mutating func members(_ old: JSONValue, _ new: JSONValue, _ structure: GoStructure, depth: Int) {
        let members = structure.members
        let differs = members.map { old[$0.json] != new[$0.json] }
        let shown = Self.shown(differs)
        var hidden = 0
        for (index, member) in members.enumerated() {
            guard shown[index] else {
                hidden += 1
                continue
            }
            skip(hidden, depth, "field")
            hidden = 0
            let (before, after) = (old[member.json], new[member.json])
            if !differs[index] {
                self.member(" ", depth, member.name, GoStructure.text(before, member))
            } else if let element = member.element, let was = before?.array, let now = after?.array {
                elements(was, now, member.name, element, depth: depth)
            } else if let was = before?.textElements, let now = after?.textElements {
                texts(was, now, member.name, depth: depth)
            } else {
                self.member("-", depth, member.name, GoStructure.text(before, member))
                self.member("+", depth, member.name, GoStructure.text(after, member))
            }
        }
        skip(hidden, depth, "field")
        flush()
    }

    private mutating func elements(
        _ old: [JSONValue], _ new: [JSONValue], _ name: String, _ type: String, depth: Int
    ) {
        line(" ", depth, "\(name): []\(type){")
        for index in 0..<max(old.count, new.count) {
            let was: JSONValue? = index < old.count ? .some(old[index]) : .none
            let now: JSONValue? = index < new.count ? .some(new[index]) : .none
            switch (was, now) {
            case (let was?, let now?) where was == now: line(" ", depth + 1, "\(GoStructure.text(was)),")
            case (let was?, let now?):
                line(" ", depth + 1, "{")
                members(was, now, GoStructure.known[type] ?? GoStructure(membersOf: was, now), depth: depth + 2)
                line(" ", depth + 1, "},")
            case (let was?, nil): line("-", depth + 1, "\(GoStructure.text(was)),")
            case (nil, let now?): line("+", depth + 1, "\(GoStructure.text(now)),")
            case (nil, nil): break
            }
        }
        line(" ", depth, "},")
    }

    private mutating func texts(_ old: [String], _ new: [String], _ name: String, depth: Int) {
        line(" ", depth, "\(name): []string{")
        var head = 0
        while head < min(old.count, new.count), old[head] == new[head] { head += 1 }
        var tail = 0
        while tail < min(old.count, new.count) - head, old[old.count - 1 - tail] == new[new.count - 1 - tail] {
            tail += 1
        }
        for text in old[..<head] { line(" ", depth + 1, "\(GoText.quote(text)),") }
        for text in old[head..<(old.count - tail)] { line("-", depth + 1, "\(GoText.quote(text)),") }
        for text in new[head..<(new.count - tail)] { line("+", depth + 1, "\(GoText.quote(text)),") }
        for text in old[(old.count - tail)...] { line(" ", depth + 1, "\(GoText.quote(text)),") }
        line(" ", depth, "},")
    }
}

extension JSONValue {
    /// The elements of a list of texts that is not empty; nil for anything else.
    fileprivate var textElements: [String]? {
        guard let elements = array, !elements.isEmpty else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }
}
