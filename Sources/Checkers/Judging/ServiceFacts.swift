import CourseModel
import KubeModel

/// What can be said about a Service from the objects around it.
struct ServiceFacts {
    let service: KubeObject
    let view: ClusterView

    /// The addresses in a slice that get traffic.
    static func readyAddresses(_ slice: KubeObject) -> [String] {
        (slice.value["endpoints"]?.array ?? []).flatMap { endpoint -> [String] in
            guard endpoint[["conditions", "ready"]]?.bool != false else { return [] }
            return endpoint["addresses"]?.array?.compactMap(\.string) ?? []
        }
    }

    /// All addresses that get traffic, from EndpointSlices, or from Endpoints where there are none.
    var readyAddresses: Set<String> {
        let slices = view.list(.endpointSlices, in: service.namespace)
            .filter { $0.labels["kubernetes.io/service-name"] == service.name }
        if !slices.isEmpty { return Set(slices.flatMap(Self.readyAddresses)) }
        let subsets = view.get(.endpoints, service.name, in: service.namespace)?.value["subsets"]?.array ?? []
        return Set(subsets.flatMap { $0["addresses"]?.array?.compactMap { $0["ip"]?.string } ?? [] })
    }

    var selector: [String: String] {
        var labels: [String: String] = [:]
        for (key, value) in service.value[["spec", "selector"]]?.object ?? [:] { labels[key] = value.string }
        return labels
    }

    var selectorText: String {
        selector.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// The pods that could be behind it: those of the namespace, without the checker's own and those that are done.
    var pods: [KubeObject] { view.list(.pods, in: service.namespace).filter { $0.isActivePod && !$0.isProbe } }

    var selectedPods: [KubeObject] {
        let wanted = LabelSelector(matching: selector)
        return selector.isEmpty ? [] : pods.filter { wanted.matches($0.labels) }
    }

    /// Why the Service has fewer ready endpoints than it should; nil when nothing is known.
    func troubleWithEndpoints() -> Finding? {
        if selector.isEmpty {
            return Finding(
                .selector, "The Service '\(service.name)' has no selector, so it leads to no pod.", isFinal: true)
        }
        guard selectedPods.isEmpty else { return troubleWithPods() }
        let others = Dictionary(grouping: pods, by: \.labelText).sorted { $0.key < $1.key }
        guard !others.isEmpty else {
            return Finding(
                .noEndpoints,
                "There is no pod in the namespace '\(service.namespace ?? "")' for the Service to lead to.")
        }
        let present = others.map { "\($0.key.isEmpty ? "no labels" : $0.key) (\($0.value.count))" }
        return Finding(
            .selector,
            "The selector of the Service '\(service.name)' is '\(selectorText)', and no pod has these labels. "
                + "The pods have: \(present.joined(separator: "; ")).",
            isFinal: true)
    }

    private func troubleWithPods() -> Finding? {
        let waiting = selectedPods.filter { !$0.isReadyPod }
        guard !waiting.isEmpty else { return nil }
        if let trouble = PodTrouble.find(waiting, in: view) {
            return Finding(
                .noEndpoints,
                "The selector matches \(selectedPods.count) pods, but \(waiting.count) of them are not ready. \(trouble.text)",
                isFinal: trouble.isFinal)
        }
        return Finding(
            .noEndpoints, "The selector matches \(selectedPods.count) pods, but \(waiting.count) of them are not ready."
        )
    }

    /// Why a request to `port` of the Service finds nobody although there are endpoints.
    func troubleWithPort(_ port: Int) -> Finding? {
        let ports = service.value[["spec", "ports"]]?.array ?? []
        guard let entry = ports.first(where: { $0["port"]?.int == port }) else {
            let present = ports.compactMap { $0["port"]?.int.map(String.init) }.joined(separator: ", ")
            return Finding(
                .wrongValue, "The Service '\(service.name)' listens on port \(present), not on \(port).", isFinal: true)
        }
        let target = entry["targetPort"].map(ValueMatcher.text) ?? String(port)
        let declared = selectedPods.flatMap { pod in pod.containers.flatMap { $0["ports"]?.array ?? [] } }
        let numbers = Set(declared.compactMap { $0["containerPort"]?.int }).sorted()
        let names = Set(declared.compactMap { $0["name"]?.string })
        guard !declared.isEmpty, !names.contains(target), !numbers.contains(where: { String($0) == target }) else {
            return nil
        }
        return Finding(
            .targetPort,
            "The Service '\(service.name)' sends to port \(target) (targetPort), but its pods listen on "
                + "\(numbers.map(String.init).joined(separator: ", ")).",
            isFinal: true)
    }
}
