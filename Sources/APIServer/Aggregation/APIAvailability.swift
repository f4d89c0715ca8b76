import KubeModel

/// Whether the server behind an APIService can be asked, as far as Service and Endpoints tell.
///
/// Source: kube-aggregator, `pkg/controllers/status/remote`.
enum APIAvailability: Equatable {
    case unavailable(reason: String, message: String)
    /// Everything is there: what the server says to a request decides.
    case toBeAsked

    init(_ api: RemoteAPI, service: KubeObject?, endpoints: KubeObject?) {
        let (name, namespace) = (api.service.name, GoText.quote(api.service.namespace))
        let subject = "service/\(name) in \(namespace)"
        guard let service else {
            self = .unavailable(reason: "ServiceNotFound", message: "\(subject) is not present")
            return
        }
        guard service.value[["spec", "type"]]?.string ?? "ClusterIP" == "ClusterIP" else {
            self = .toBeAsked
            return
        }
        let ports = service.value[["spec", "ports"]]?.array ?? []
        guard let port = ports.first(where: { $0["port"]?.int == api.service.port }) else {
            self = .unavailable(
                reason: "ServicePortError", message: "\(subject) is not listening on port \(api.service.port)")
            return
        }
        guard let endpoints else {
            self = .unavailable(
                reason: "EndpointsNotFound", message: "cannot find endpointslices for \(subject)")
            return
        }
        let portName = port["name"]?.string ?? ""
        let isThere = (endpoints.value["subsets"]?.array ?? []).contains { subset in
            !(subset["addresses"]?.array ?? []).isEmpty
                && (subset["ports"]?.array ?? []).contains { $0["name"]?.string ?? "" == portName }
        }
        self =
            isThere
            ? .toBeAsked
            : .unavailable(
                reason: "MissingEndpoints",
                message: "endpointslices for \(subject) have no addresses with port name \(GoText.quote(portName))")
    }

    /// The condition that says so.
    static func condition(isTrue: Bool, _ reason: String, _ message: String, at now: Timestamp) -> StatusCondition {
        StatusCondition("Available", isTrue, reason: reason, message: message, at: now)
    }
}
