import FoundationEssentials
import KubeModel
import SwiftASN1
import X509

/// A certificate (DER) that is not believed.
///
/// Source of rules and words: Go, `crypto/x509`, `verify.go`.
struct PeerFault: Error {
    let certificate: [UInt8]

    /// What is wrong with the certificate besides who signed it; nil when that is nothing.
    ///
    /// Names and addresses count only among the alternatives, each for its own sort of `serverName`.
    func explanation(serverName: String, now: Date = .now) -> String? {
        guard let certificate = try? Certificate(derEncoded: certificate) else { return nil }
        func text(_ date: Date) -> String { Timestamp(seconds: Int64(date.timeIntervalSince1970)).text }
        let isEarly = now < certificate.notValidBefore
        if isEarly || now > certificate.notValidAfter {
            let (word, bound) =
                isEarly ? ("before", certificate.notValidBefore) : ("after", certificate.notValidAfter)
            return "x509: certificate has expired or is not yet valid: current time \(text(now)) is \(word) "
                + text(bound)
        }
        let alternatives = try? certificate.extensions.subjectAlternativeNames
        let isAddress = serverName.contains(":") || serverName.allSatisfy { $0 == "." || $0.isNumber }
        let names = (alternatives ?? SubjectAlternativeNames([])).compactMap { isAddress ? $0.addressText : $0.dnsText }
        if names.contains(where: { Self.matches($0, serverName) }) { return nil }
        if alternatives == nil, Self.matches(certificate.commonName ?? "", serverName) {
            return "x509: certificate relies on legacy Common Name field, use SANs instead"
        }
        if isAddress, names.isEmpty {
            return "x509: cannot validate certificate for \(serverName) because it doesn't contain any IP SANs"
        }
        if names.isEmpty {
            return "x509: certificate is not valid for any names, but wanted to match \(serverName)"
        }
        return "x509: certificate is valid for \(names.joined(separator: ", ")), not \(serverName)"
    }

    /// A star stands for the first part of a name.
    private static func matches(_ pattern: String, _ name: String) -> Bool {
        let (pattern, name) = (pattern.lowercased(), name.lowercased())
        if pattern == name { return true }
        guard pattern.hasPrefix("*."), let dot = name.firstIndex(of: ".") else { return false }
        return pattern.dropFirst() == name[dot...]
    }
}

extension Certificate {
    fileprivate var commonName: String? {
        subject.flatMap { Array($0) }.first { $0.type == .RDNAttributeType.commonName }.flatMap { String($0.value) }
    }
}

extension GeneralName {
    fileprivate var dnsText: String? { if case .dnsName(let name) = self { name } else { nil } }

    /// For example `10.0.0.1`; of IPv6 the eight groups.
    fileprivate var addressText: String? {
        guard case .ipAddress(let octets) = self else { return nil }
        let bytes = Array(octets.bytes)
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: bytes.count - 1, by: 2)
            .map { String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }
}
