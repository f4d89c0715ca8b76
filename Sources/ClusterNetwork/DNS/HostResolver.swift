import ContainerRuntime
import Glibc
import NIOPosix

/// Asks this machine's own resolver for names of the world outside: with its settings, its hosts file, its ways.
struct HostResolver: Sendable {
    /// Looks a name up, on a thread where that may take its time.
    func answer(_ query: DNSQuery, _ body: @escaping @Sendable (DNSAnswer) -> Void) {
        NIOThreadPool.singleton.submit { state in
            body(state == .active ? Self.look(query) : DNSAnswer(code: .serverFailure))
        }
    }

    private static func look(_ query: DNSQuery) -> DNSAnswer {
        var hints = addrinfo()
        hints.ai_family = AF_INET
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        // Without the dot at its end, with which it would not be looked up in the hosts file.
        let outcome = getaddrinfo(String(query.name.description.dropLast()), nil, &hints, &found)
        defer { if found != nil { freeaddrinfo(found) } }
        switch outcome {
        case 0: break
        case EAI_NONAME, -5: return DNSAnswer(code: .nameError, isAuthoritative: false)
        default: return DNSAnswer(code: .serverFailure, isAuthoritative: false)
        }
        var addresses: [IPv4Address] = []
        var entry = found
        while let one = entry {
            if let raw = one.pointee.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: raw, count: 8)
                addresses.append(IPv4Address(bytes[4], bytes[5], bytes[6], bytes[7]))
            }
            entry = one.pointee.ai_next
        }
        // Pods have no IPv6: the name is there, and has no such address.
        let records = query.type == DNSType.a ? addresses.map { DNSRecord(name: query.name, content: .a($0)) } : []
        return DNSAnswer(answers: records, isAuthoritative: false)
    }
}
