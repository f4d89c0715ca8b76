import ContainerRuntime
import KubeModel

/// What NetworkPolicies mean for the pods that there are: made anew from all objects whenever one of them changed.
struct PolicyPlan: Equatable, Sendable {
    /// Something with an address that policies select by its labels.
    struct Party: Equatable, Sendable {
        struct Port: Equatable, Sendable {
            var name: String
            var number: UInt16
            var transport: String
        }
        var address: IPv4Address
        var namespace: String
        var labels: [String: String]
        var ports: [Port] = []
    }

    private(set) var rules = PolicyRules()

    /// Works out the plan.
    ///
    /// `residents` are what stands for pods in the host process: DNS, the ingress controller.
    init(policies: [KubeObject], pods: [KubeObject], namespaces: [KubeObject], residents: [Party] = []) {
        guard !policies.isEmpty else { return }
        let parties = pods.compactMap { Party(pod: Pod($0)) } + residents
        let world = PolicyWorld(
            parties: parties,
            namespaceLabels: Dictionary(
                namespaces.map { ($0.name, $0.labels) }, uniquingKeysWith: { first, _ in first }))
        var policiesByNamespace: [String: [NetworkPolicyRule]] = [:]
        for policy in policies.sorted(by: { $0.name < $1.name }) {
            policiesByNamespace[policy.namespace ?? "default", default: []].append(NetworkPolicyRule(policy))
        }
        for party in parties.sorted(by: { $0.address < $1.address }) {
            let own = (policiesByNamespace[party.namespace] ?? []).filter { $0.selector.matches(party.labels) }
            for direction in [PolicyRules.Direction.ingress, .egress] {
                let judging = own.filter { $0.directions.contains(direction) }
                guard !judging.isEmpty else { continue }
                var allowed: [PolicyRules.Allowance] = []
                for policy in judging {
                    for rule in direction == .ingress ? policy.ingress : policy.egress {
                        for allowance in world.allowances(rule, policy.namespace, party, direction)
                        where !allowed.contains(allowance) {
                            allowed.append(allowance)
                        }
                    }
                }
                rules.isolations.append(
                    PolicyRules.Isolation(pod: party.address, direction: direction, allowed: allowed))
            }
        }
        rules.locals = residents.map(\.address).sorted()
    }
}

extension PolicyPlan.Party {
    /// A pod that has an address of its own; one that has ended has none any more.
    fileprivate init?(pod: Pod) {
        guard !pod.isTerminal, pod.spec["hostNetwork"]?.bool != true, let address = IPv4Address(parsing: pod.podIP)
        else { return nil }
        self.address = address
        namespace = pod.namespace
        labels = pod.object.labels
        ports = (pod.containers + pod.initContainers.filter(\.isSidecar)).flatMap { container in
            container.ports.compactMap { port in
                guard let number = port["containerPort"]?.int.flatMap({ UInt16(exactly: $0) }) else { return nil }
                return Port(
                    name: port["name"]?.string ?? "", number: number, transport: port["protocol"]?.string ?? "TCP")
            }
        }
    }

    fileprivate func number(of name: String, _ transport: String) -> UInt16? {
        ports.first { $0.name == name && $0.transport == transport }?.number
    }
}

/// The parts of a NetworkPolicy that decide.
private struct NetworkPolicyRule {
    /// `from` and `to` are the same thing seen from the two ends.
    struct Rule {
        /// Empty: anybody.
        var peers: [JSONValue]
        /// Empty: any.
        var ports: [JSONValue]
    }

    let namespace: String
    let selector: LabelSelector
    let directions: Set<PolicyRules.Direction>
    let ingress: [Rule]
    let egress: [Rule]

    init(_ object: KubeObject) {
        let spec = object.value["spec"] ?? [:]
        func rules(_ name: String, _ peers: String) -> [Rule] {
            (spec[name]?.array ?? []).map { Rule(peers: $0[peers]?.array ?? [], ports: $0["ports"]?.array ?? []) }
        }
        namespace = object.namespace ?? "default"
        selector = LabelSelector(spec["podSelector"] ?? [:])
        ingress = rules("ingress", "from")
        egress = rules("egress", "to")
        if let types = spec["policyTypes"]?.array {
            directions = Set(types.compactMap { $0 == "Ingress" ? .ingress : $0 == "Egress" ? .egress : nil })
        } else {
            directions = egress.isEmpty ? [.ingress] : [.ingress, .egress]
        }
    }
}

/// Everything that selectors are held against.
private struct PolicyWorld {
    let parties: [PolicyPlan.Party]
    let namespaceLabels: [String: [String: String]]

    private static let transports: [String: UInt8] = ["TCP": 6, "UDP": 17, "SCTP": 132]

    /// What a rule allows to `party`, the pod that is isolated.
    func allowances(
        _ rule: NetworkPolicyRule.Rule, _ namespace: String, _ party: PolicyPlan.Party,
        _ direction: PolicyRules.Direction
    ) -> [PolicyRules.Allowance] {
        let peers = rule.peers.isEmpty ? [nil] : rule.peers.map(Optional.some)
        let ports = rule.ports.isEmpty ? [nil] : rule.ports.map(Optional.some)
        return peers.flatMap { peer in
            ports.flatMap { port in allowances(peer, port, namespace, party, direction) }
        }
    }

    private func allowances(
        _ peer: JSONValue?, _ port: JSONValue?, _ namespace: String, _ party: PolicyPlan.Party,
        _ direction: PolicyRules.Direction
    ) -> [PolicyRules.Allowance] {
        guard let port else { return peers(peer, namespace).map { PolicyRules.Allowance(peer: $0) } }
        let transport = port["protocol"]?.string ?? "TCP"
        guard let protocolNumber = Self.transports[transport] else { return [] }
        guard let name = port["port"]?.string else {
            guard let range = Self.range(port) else { return [] }
            let ports = PolicyRules.Ports(transport: protocolNumber, numbers: range)
            return peers(peer, namespace).map { PolicyRules.Allowance(peer: $0, ports: ports) }
        }
        // A name is a number of the pod that is called: of this one for ingress, of each peer for egress.
        guard direction == .egress else {
            guard let number = party.number(of: name, transport) else { return [] }
            let ports = PolicyRules.Ports(transport: protocolNumber, numbers: number...number)
            return peers(peer, namespace).map { PolicyRules.Allowance(peer: $0, ports: ports) }
        }
        let candidates = peer.map { selected($0, namespace) } ?? parties
        let byNumber = Dictionary(grouping: candidates) { $0.number(of: name, transport) ?? 0 }
        return byNumber.filter { $0.key != 0 }.sorted { $0.key < $1.key }.map { number, members in
            PolicyRules.Allowance(
                peer: .pods(members.map(\.address).sorted()),
                ports: PolicyRules.Ports(transport: protocolNumber, numbers: number...number))
        }
    }

    private static func range(_ port: JSONValue) -> ClosedRange<UInt16>? {
        guard let value = port["port"]?.int else { return 0...UInt16.max }
        guard let first = UInt16(exactly: value) else { return nil }
        let last = port["endPort"]?.int.flatMap { UInt16(exactly: $0) } ?? first
        return first <= last ? first...last : nil
    }

    /// Nobody, anybody, a network, or the pods that are selected.
    private func peers(_ peer: JSONValue?, _ namespace: String) -> [PolicyRules.Peer] {
        guard let peer else { return [.anybody] }
        if let block = peer["ipBlock"] {
            guard let network = block["cidr"]?.string.flatMap({ PolicyRules.Block(parsing: $0) }) else { return [] }
            let except = (block["except"]?.array ?? []).compactMap(\.string).compactMap {
                PolicyRules.Block(parsing: $0)
            }
            return [.block(network, except: except)]
        }
        let addresses = selected(peer, namespace).map(\.address).sorted()
        return addresses.isEmpty ? [] : [.pods(addresses)]
    }

    /// The pods that a peer selects: of the policy's own namespace unless it selects namespaces.
    private func selected(_ peer: JSONValue, _ namespace: String) -> [PolicyPlan.Party] {
        let namespaceSelector = peer["namespaceSelector"].map { LabelSelector($0) }
        let podSelector = peer["podSelector"].map { LabelSelector($0) }
        return parties.filter { party in
            if let namespaceSelector {
                guard let labels = namespaceLabels[party.namespace], namespaceSelector.matches(labels) else {
                    return false
                }
            } else if party.namespace != namespace {
                return false
            }
            return podSelector?.matches(party.labels) ?? true
        }
    }
}
