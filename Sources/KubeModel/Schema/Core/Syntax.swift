/// A rule for text: what Kubernetes says about a text that breaks it.
public struct TextSyntax: Sendable {
    /// The complaints, empty if the text is right.
    public let complaints: @Sendable (JSONValue) -> [String]

    /// Whether messages show the text without quotes.
    public let showsPlainText: Bool

    public init(showsPlainText: Bool = false, _ complaints: @escaping @Sendable (JSONValue) -> [String]) {
        self.complaints = complaints
        self.showsPlainText = showsPlainText
    }

    /// A syntax of text; values of other types pass.
    public static func text(_ complaints: @escaping @Sendable (String) -> [String]) -> TextSyntax {
        TextSyntax { value in value.string.map(complaints) ?? [] }
    }

    public static let dnsLabel = text(NameSyntax.dnsLabel)
    public static let dnsSubdomain = text(NameSyntax.dnsSubdomain)
    public static let dns1035Label = text(NameSyntax.dns1035Label)
    public static let qualifiedName = text(NameSyntax.qualifiedName)
    public static let labelValue = text(NameSyntax.labelValue)
    public static let portName = text(NameSyntax.portName)
    public static let envName = text(NameSyntax.envName)
    public static let configMapKey = text(NameSyntax.configMapKey)
    public static let ipAddress = text(NameSyntax.ipAddress)
    public static let addressRange = text(NameSyntax.addressRange)
    public static let pathSegment = text(NameSyntax.pathSegment)

    /// A port number, or the name of a port.
    public static let portOrName = TextSyntax { value in
        switch value {
        case .int(let number): 1...65535 ~= number ? [] : ["must be between 1 and 65535, inclusive"]
        case .string(let name): NameSyntax.portName(name)
        default: []
        }
    }

    /// A number of pods or a share of them such as `25%`.
    public static let countOrPercent = TextSyntax(showsPlainText: true) { value in
        switch value {
        case .int(let number): number >= 0 ? [] : ["must be greater than or equal to 0"]
        case .string(let text):
            NameSyntax.isPercent(text)
                ? []
                : [
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
                ]
        default: []
        }
    }
}

/// The syntax of names, and what Kubernetes says about text that breaks it.
public enum NameSyntax {
    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || isDigit(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private static func isLabel(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && bytes.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isSubdomain(_ text: String) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { isLabel($0) }
    }

    /// One part of a label's name or a label's value: starts and ends with a letter or digit, `-_.` inside.
    private static func isLabelText(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        func isEdge(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }
        return isEdge(first) && isEdge(last)
            && text.utf8.allSatisfy {
                isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
            }
    }

    private static func tooLong(_ text: String, _ countMax: Int) -> [String] {
        text.utf8.count > countMax ? ["must be no more than \(countMax) characters"] : []
    }

    public static func dnsLabel(_ text: String) -> [String] {
        if !isLabel(text.utf8), isSubdomain(text) { return tooLong(text, 63) + ["must not contain dots"] }
        return tooLong(text, 63)
            + (isLabel(text.utf8)
                ? []
                : [
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
                        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
                ])
    }

    public static func dnsSubdomain(_ text: String) -> [String] {
        tooLong(text, 253)
            + (isSubdomain(text)
                ? []
                : [
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                        + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                ])
    }

    /// A subdomain whose first part is `*`.
    public static func wildcardSubdomain(_ text: String) -> [String] {
        tooLong(text, 253)
            + (text.hasPrefix("*.") && isSubdomain(String(text.dropFirst(2)))
                ? []
                : [
                    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
                        + "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
                        + "character (e.g. '*.example.com', regex used for validation is "
                        + "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
                ])
    }

    /// A name that can stand in a URL as it is, as those of roles.
    public static func pathSegment(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter(text.contains).map { "may not contain '\($0)'" }
    }

    public static func dns1035Label(_ text: String) -> [String] {
        let isRight = isLabel(text.utf8) && text.utf8.first.map { !isDigit($0) } == true
        return tooLong(text, 63)
            + (isRight
                ? []
                : [
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                        + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
                        + "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
                ])
    }

    private static let qualifiedNameComplaint =
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

    /// The name of a label or annotation: an optional DNS prefix and a slash, then a name of at most 63 characters.
    public static func qualifiedName(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else {
            return [
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                    + "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation "
                    + "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' "
                    + "(e.g. 'example.com/MyName')"
            ]
        }
        var complaints: [String] = []
        if parts.count == 2 {
            complaints +=
                parts[0].isEmpty
                ? ["prefix part must be non-empty"] : dnsSubdomain(parts[0]).map { "prefix part \($0)" }
        }
        let name = parts[parts.count - 1]
        if name.isEmpty {
            complaints.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            complaints.append("name part must be no more than 63 characters")
        }
        return isLabelText(name) ? complaints : complaints + [qualifiedNameComplaint]
    }

    public static func labelValue(_ text: String) -> [String] {
        tooLong(text, 63)
            + (text.isEmpty || isLabelText(text)
                ? []
                : [
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
                        + "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
                        + "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                ])
    }

    /// An IANA service name, as ports are named.
    public static func portName(_ text: String) -> [String] {
        var complaints: [String] = []
        if text.utf8.count > 15 { complaints.append("must be no more than 15 characters") }
        if !text.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) || text.isEmpty {
            complaints.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !text.utf8.contains(where: { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }) {
            complaints.append("must contain at least one letter (a-z)")
        }
        if text.contains("--") { complaints.append("must not contain consecutive hyphens") }
        if text.hasPrefix("-") || text.hasSuffix("-") { complaints.append("must not begin or end with a hyphen") }
        return complaints
    }

    /// The name of an environment variable: anything printable except `=`.
    public static func envName(_ text: String) -> [String] {
        text.utf8.allSatisfy { 0x20..<0x7F ~= $0 && $0 != UInt8(ascii: "=") }
            ? []
            : [
                "a valid environment variable name must consist only of printable ASCII characters other than '='"
            ]
    }

    public static func configMapKey(_ text: String) -> [String] {
        var complaints = tooLong(text, 253)
        let isRight =
            !text.isEmpty
            && text.utf8.allSatisfy {
                isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            }
        if !isRight {
            complaints.append(
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
        }
        if text == "." {
            complaints.append("must not be '.'")
        } else if text == ".." {
            complaints.append("must not be '..'")
        } else if text.hasPrefix("..") {
            complaints.append("must not start with '..'")
        }
        return complaints
    }

    public static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy(isDigit)
                    && (part.utf8.count == 1 || part.first != "0")
                    && (UInt16(part) ?? 256) < 256
            }
    }

    public static func isIPv6(_ text: String) -> Bool {
        guard text.contains(":"), !text.contains(":::") else { return false }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return false }
        var groups = 0
        for half in halves where !half.isEmpty {
            for part in half.split(separator: ":", omittingEmptySubsequences: false) {
                if part.contains(".") {
                    guard isIPv4(String(part)) else { return false }
                    groups += 2
                } else {
                    guard (1...4).contains(part.utf8.count), UInt16(part, radix: 16) != nil else { return false }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups < 8 : groups == 8
    }

    public static func ipAddress(_ text: String) -> [String] {
        isIPv4(text) || isIPv6(text) ? [] : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    }

    public static func addressRange(_ text: String) -> [String] {
        AddressRange(parsing: text) == nil
            ? ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"] : []
    }

    /// The name of a header of HTTP.
    static func headerName(_ text: String) -> [String] {
        !text.isEmpty && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
            ? []
            : [
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used "
                    + "for validation is '[-A-Za-z0-9]+')"
            ]
    }

    /// Whether a text can be the name of a kernel setting: labels with underscores, joined by dots or slashes.
    static func isSysctl(_ text: String) -> Bool {
        guard text.utf8.count <= 253 else { return false }
        return text.utf8.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
            .allSatisfy { part in
                guard let first = part.first, let last = part.last else { return false }
                return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
                    && part.allSatisfy {
                        isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    }
            }
    }

    /// Whether RFC 3986 allows every character in a path.
    static func isURLPath(_ text: String) -> Bool {
        text.utf8.allSatisfy { isLetter($0) || isDigit($0) || "/-._~%!$&'()*+,;=:".utf8.contains($0) }
    }

    static func isPercent(_ text: String) -> Bool {
        text.utf8.count > 1 && text.utf8.last == UInt8(ascii: "%") && text.utf8.dropLast().allSatisfy(isDigit)
    }
}
