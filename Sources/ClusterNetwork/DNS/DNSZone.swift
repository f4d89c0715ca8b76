import ContainerRuntime
import KubeModel

/// The names of a cluster, and what there is to answer about them (Kubernetes DNS-Based Service Discovery, version 1.1).
///
/// Everything is answered: a question that stays open costs programs seconds at their start. Names outside of the cluster do
/// not exist here; where there is a way out, `HostResolver` is asked for them.
struct DNSZone: Sendable {
    let domain: DNSName
    private(set) var records: [DNSName: [DNSRecord]] = [:]
    /// How many names are below one: it exists, but may have no records of its own.
    private(set) var counts: [DNSName: Int] = [:]
    private var services: [ObjectKey: ServiceNames] = [:]
    private let podParent: DNSName

    init(domain: DNSName, services: [KubeObject] = [], slices: [KubeObject] = []) {
        self.domain = domain
        podParent = domain.prefixed("pod")
        add(DNSRecord(name: domain, content: .soa(domain)))
        add(DNSRecord(name: domain, content: .ns(domain.prefixed("ns", "dns"))))
        add(DNSRecord(name: domain.prefixed("dns-version"), content: .txt("1.1.0")))
        for name in [domain.prefixed("svc"), podParent] { count(name, by: 1) }
        let endpoints = EndpointIndex(slices)
        for service in services.map(KubeService.init).sorted(by: { $0.key < $1.key }) {
            set(service.key, to: ServiceNames(service, endpoints.slices(of: service.key), in: domain))
        }
    }

    /// Replaces the names of a Service; nil stands for a Service that is not there.
    mutating func set(_ service: ObjectKey, to names: ServiceNames?) {
        let before = services[service]
        guard before != names else { return }
        services[service] = names
        for record in before?.records ?? [] { remove(record) }
        for record in names?.records ?? [] { add(record) }
        for (name, change) in [(before?.name, -1), (names?.name, 1)] {
            guard let name else { continue }
            count(name, by: change)
            countAbove(name, by: change)
        }
    }

    private mutating func add(_ record: DNSRecord) {
        records[record.name, default: []].append(record)
        if records[record.name]?.count == 1 { countAbove(record.name, by: 1) }
    }

    private mutating func remove(_ record: DNSRecord) {
        guard let index = records[record.name]?.firstIndex(of: record) else { return }
        records[record.name]?.remove(at: index)
        guard records[record.name]?.isEmpty == true else { return }
        records[record.name] = nil
        countAbove(record.name, by: -1)
    }

    private mutating func countAbove(_ name: DNSName, by change: Int) {
        var parent = name.parent
        while let name = parent, name.isWithin(domain) {
            count(name, by: change)
            parent = name.parent
        }
    }

    private mutating func count(_ name: DNSName, by change: Int) {
        let new = counts[name, default: 0] + change
        counts[name] = new == 0 ? nil : new
    }

    /// What to say to a question for records of `type` at `name`.
    ///
    /// `rotation` decides which of several addresses comes first; resolvers take the first one.
    func answer(_ name: DNSName, type: UInt16, rotation: Int = 0) -> DNSAnswer {
        guard let present = records[name] ?? podRecords(name) else {
            let exists = counts[name] != nil
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
