/// What Kubernetes says about addresses that traffic is to be sent to.
enum AddressRules {
    /// An address of an endpoint: any that is not of one machine's own.
    ///
    /// The upper half of the loopback range is where pods live on a machine that denies namespaces.
    @Sendable
    static func checkEndpoint(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let text = value.string ?? ""
        let complaints = NameSyntax.ipAddress(text)
        errors.complain(path, text, complaints)
        if !complaints.isEmpty { errors.append(.invalid(path, value, "must be a valid IP address")) }
        if let bytes = AddressRange.bytes(ofAddress: text),
            AddressRange(parsing: "127.128.0.0/9")?.contains(bytes) ?? false
        {
            return
        }
        checkSpecial(text, path, &errors)
    }

    static func checkSpecial(_ text: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let bytes = AddressRange.bytes(ofAddress: text) else { return }
        func isIn(_ ranges: String...) -> Bool {
            ranges.contains { AddressRange(parsing: $0)?.contains(bytes) ?? false }
        }
        if bytes.allSatisfy({ $0 == 0 }) {
            errors.append(.invalid(path, .string(text), "may not be unspecified (\(text))"))
        }
        if isIn("127.0.0.0/8", "::1/128") {
            errors.append(
                .invalid(path, .string(text), "may not be in the loopback range (127.0.0.0/8, ::1/128)"))
        }
        if isIn("169.254.0.0/16", "fe80::/10") {
            errors.append(
                .invalid(path, .string(text), "may not be in the link-local range (169.254.0.0/16, fe80::/10)"))
        }
        if isIn("224.0.0.0/24", "ff02::/16") {
            errors.append(
                .invalid(
                    path, .string(text), "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"))
        }
    }
}
