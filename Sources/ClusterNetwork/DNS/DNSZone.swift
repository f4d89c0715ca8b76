import ContainerRuntime
import KubeModel

/// The names of a cluster, and what there is to answer about them (Kubernetes DNS-Based Service Discovery, version 1.1).
///
/// Everything is answered: a question that stays open costs programs seconds at their start. Names outside of the cluster do
/// not exist here; where there is a way out, `HostResolver` is asked for them.
struct DNSZone: Sendable {
    let domain: DNSName
    private var records: [DNSName: [DNSRecord]] = [:]
    /// Names with nothing but names below them: they exist, but have no records.
    private var ancestors: Set<DNSName> = []
    private let podParent: DNSName

    init(domain: DNSName, services: [KubeObject] = [], slices: [KubeObject] = []) {
        self.domain = domain
        podParent = domain.prefixed("pod")
        add(DNSRecord(name: domain, content: .soa(domain)))
        add(DNSRecord(name: domain, content: .ns(domain.prefixed("ns", "dns"))))
        add(DNSRecord(name: domain.prefixed("dns-version"), content: .txt("1.1.0")))
        ancestors.insert(domain.prefixed("svc"))
        ancestors.insert(podParent)
        let endpoints = EndpointIndex(slices)
        for service in services.map(KubeService.init).sorted(by: { $0.key < $1.key }) {
            let name = domain.prefixed(service.object.name, service.object.namespace ?? "default", "svc")
            if service.isHeadless {
                addHeadless(name, endpoints.slices(of: service.key))
                addEndpoints(name, endpoints.slices(of: service.key))
            } else if service.type == "ExternalName" {
                if let target = service.spec["externalName"]?.string.flatMap({ DNSName($0) }) {
                    add(DNSRecord(name: name, content: .cname(target)))
                }
            } else if let address = IPv4Address(parsing: service.clusterIP) {
                addClusterIP(service, name, address)
                addEndpoints(name, endpoints.slices(of: service.key))
            }
        }
    }

    private mutating func addClusterIP(_ service: KubeService, _ name: DNSName, _ address: IPv4Address) {
        add(DNSRecord(name: name, content: .a(address)))
        add(DNSRecord(name: address.reverseName, content: .ptr(name)))
        for port in service.ports { addPort(port.name, port.transport, name, number: port.port, target: name) }
    }

    /// A headless Service answers with its pods.
    private mutating func addHeadless(_ name: DNSName, _ slices: [EndpointIndex.Slice]) {
        ancestors.insert(name)
        for slice in slices {
            for endpoint in slice.endpoints where endpoint.isReady {
                add(DNSRecord(name: name, content: .a(endpoint.address)))
                for port in slice.ports {
                    let own = name.prefixed(endpoint.label)
                    addPort(port.name, port.transport, name, number: port.number, target: own)
                }
            }
        }
    }

    /// Each pod behind a Service has a name of its own below it, and its address leads back to that.
    private mutating func addEndpoints(_ name: DNSName, _ slices: [EndpointIndex.Slice]) {
        for slice in slices {
            for endpoint in slice.endpoints where endpoint.isReady {
                let own = name.prefixed(endpoint.label)
                add(DNSRecord(name: own, content: .a(endpoint.address)))
                add(DNSRecord(name: endpoint.address.reverseName, content: .ptr(own)))
            }
        }
    }

    private mutating func addPort(
        _ port: String, _ transport: String, _ service: DNSName, number: Int, target: DNSName
    ) {
        guard let number = UInt16(exactly: number) else { return }
        let content = DNSRecord.Content.srv(weight: 100, port: number, target: target)
        // Asked by the Service's name alone, all ports answer, also those that have no name.
        add(DNSRecord(name: service, content: content))
        guard !port.isEmpty else { return }
        add(DNSRecord(name: service.prefixed("_\(port)", "_\(transport.lowercased())"), content: content))
    }

    private mutating func add(_ record: DNSRecord) {
        if records[record.name]?.contains(record) == true { return }
        records[record.name, default: []].append(record)
        var parent = record.name.parent
        while let name = parent, name.isWithin(domain), ancestors.insert(name).inserted { parent = name.parent }
    }

    /// What to say to a question for records of `type` at `name`.
    ///
    /// `rotation` decides which of several addresses comes first; resolvers take the first one.
    func answer(_ name: DNSName, type: UInt16, rotation: Int = 0) -> DNSAnswer {
        guard let present = records[name] ?? podRecords(name) else {
            let exists = ancestors.contains(name)
            return DNSAnswer(code: exists ? .noError : .nameError, authority: [authority(of: name)])
        }
        var matching = present.filter { $0.type == type || type == DNSType.any }
        if matching.isEmpty, case .cname? = present.first?.content { matching = chain(from: present[0], type: type) }
        guard !matching.isEmpty else { return DNSAnswer(authority: [authority(of: name)]) }
        let start = rotation % matching.count
        if present.first?.type != DNSType.cname { matching = Array(matching[start...] + matching[..<start]) }
        return DNSAnswer(answers: matching, additional: additional(to: matching))
    }

    /// An alias and what it leads to, over further aliases if need be; a circle ends where it closes.
    private func chain(from alias: DNSRecord, type: UInt16) -> [DNSRecord] {
        var found = [alias]
        while found.count < 16, case .cname(let target)? = found.last?.content {
            let next = records[target] ?? podRecords(target) ?? []
            guard let further = next.first, case .cname = further.content, !found.contains(further) else {
                return found + next.filter { $0.type == type }
            }
            found.append(further)
        }
        return found
    }

    /// The addresses of the targets of SRV records: they save the next question.
    private func additional(to answers: [DNSRecord]) -> [DNSRecord] {
        var seen: Set<DNSName> = []
        return answers.flatMap { record -> [DNSRecord] in
            guard case .srv(_, _, let target) = record.content, seen.insert(target).inserted else { return [] }
            return (records[target] ?? []).filter { $0.type == DNSType.a }
        }
    }

    /// `10-244-0-5.default.pod.cluster.local` is the address that it spells.
    private func podRecords(_ name: DNSName) -> [DNSRecord]? {
        guard name.labels.count == podParent.labels.count + 2, name.isWithin(podParent) else { return nil }
        let dotted = name.labels[0].map { $0 == UInt8(ascii: "-") ? UInt8(ascii: ".") : $0 }
        let text = String(decoding: dotted, as: UTF8.self)
        return IPv4Address(parsing: text).map { [DNSRecord(name: name, content: .a($0))] }
    }

    private func authority(of name: DNSName) -> DNSRecord {
        let reverse = DNSName(labels: [Array("in-addr".utf8), Array("arpa".utf8)])
        let zone = name.isWithin(domain) ? domain : name.isWithin(reverse) ? reverse : DNSName()
        return DNSRecord(name: zone, content: .soa(zone))
    }
}

extension DNSZone {
    /// The same, with the names of this machine where pods reach it.
    func withHost(_ egress: Egress) -> DNSZone {
        guard egress != .none else { return self }
        var zone = self
        for name in Egress.hostNames.compactMap({ DNSName($0) }) {
            zone.add(DNSRecord(name: name, content: .a(Egress.hostAddress)))
        }
        return zone
    }

    /// The question in a packet, if it is for an address of a name that is none of the cluster's.
    func outsideQuery(_ packet: [UInt8]) -> DNSQuery? {
        guard let query = try? DNSQuery(parsing: packet), query.recordClass == 1,
            query.type == DNSType.a || query.type == DNSType.aaaa, query.name.labels.count > 1,
            !query.name.isWithin(domain), query.name.labels.last != Array("arpa".utf8),
            answer(query.name, type: query.type).code == .nameError
        else { return nil }
        return query
    }

    /// The whole way from a packet to its answer; nil if nothing may be answered.
    func respond(to packet: [UInt8], isStream: Bool, rotation: Int) -> [UInt8]? {
        do throws(DNSQuery.Failure) {
            let query = try DNSQuery(parsing: packet)
            let isInternet = query.recordClass == 1 || query.recordClass == 255
            let answer =
                isInternet ? answer(query.name, type: query.type, rotation: rotation) : DNSAnswer(code: .refused)
            return DNSResponse.bytes(for: query, answer, sizeMax: isStream ? 65_535 : query.udpSizeMax)
        } catch {
            switch error {
            case .ignored: return nil
            case .refused(let id, let isRecursionDesired, let code):
                return DNSResponse.refusal(id: id, isRecursionDesired: isRecursionDesired, code: code)
            }
        }
    }
}

extension IPv4Address {
    /// `5.0.244.10.in-addr.arpa` for 10.244.0.5.
    var reverseName: DNSName {
        DNSName(labels: (bytes.reversed().map(String.init) + ["in-addr", "arpa"]).map { Array($0.utf8) })
    }
}

extension EndpointIndex.Endpoint {
    /// The pod's host name where it has one in the Service, else its address with dashes.
    fileprivate var label: String { hostName ?? String(address.description.map { $0 == "." ? "-" : $0 }) }
}
